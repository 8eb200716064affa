// What is wrong with a callback, found when its task is stored.
import { isIP } from 'node:net';
import { describeError } from '../../../infra/error-text.ts';
import type { NetworkPolicy } from '../../../infra/network/network-policy.ts';
import type { Callback } from './callback.ts';
import { encodeForm } from './form-body.ts';
import { findPatternFault } from './response-pattern.ts';
import { parseTarget } from './target.ts';

/** One field of the task and what is wrong with it, as the end of a sentence. */
export type CallbackFault = { field: 'url' | 'body' | 'resp_regexp'; reason: string };

/**
 * The first fault of a callback whose fields fit the contract; undefined when it can be called. Addresses that stand in
 * the url are held against the policy here, names when they are resolved.
 */
export function findCallbackFault(
  callback: Pick<Callback, 'method' | 'url' | 'body' | 'bodyType' | 'respRegexp'>,
  networks: NetworkPolicy,
): CallbackFault | undefined {
  const urlFault = findUrlFault(callback, networks);
  if (urlFault !== undefined) return { field: 'url', reason: urlFault };
  const bodyFault = findBodyFault(callback);
  if (bodyFault !== undefined) return { field: 'body', reason: bodyFault };
  const patternFault = findPatternFault(callback.respRegexp);
  return patternFault === undefined ? undefined : { field: 'resp_regexp', reason: patternFault };
}

/** Calls of one target share room: `http://host:port`, `https://host:port`, `tcp://host:port`, or `nats:subject`. */
export function targetOf(callback: Pick<Callback, 'method' | 'url'>): string {
  return parseTarget(callback).key;
}

function findUrlFault(
  callback: Pick<Callback, 'method' | 'url'>,
  networks: NetworkPolicy,
): string | undefined {
  const target = parseTarget(callback);
  if (target.kind === 'none') return target.reason;
  if (target.kind === 'nats' || isIP(target.host) === 0) return undefined;
  const refusal = networks.findRefusal(target.host);
  return refusal === undefined ? undefined : `goes to ${target.host}, which ${refusal}`;
}

/** A form goes over HTTP only; rpc sends JSON whatever the type, nats what it is given. */
function findBodyFault({ method, body, bodyType }: Pick<Callback, 'method' | 'body' | 'bodyType'>) {
  if (bodyType === 2 && method === 'nats') return undefined;
  if (bodyType === 2 && method !== 'rpc') {
    const form = encodeForm(body);
    return form.ok ? undefined : form.reason;
  }
  if (body.trim() === '') return undefined;
  try {
    JSON.parse(body);
    return undefined;
  } catch (error) {
    return `is not JSON: ${describeError(error)}`;
  }
}
