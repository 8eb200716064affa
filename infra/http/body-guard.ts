// Whether there is room for the body of a request, before anything of it is kept.
import type { FastifyRequest } from 'fastify';
import { ProbeTaskError } from '../../contracts/errors.ts';
import type { InHand } from './in-hand.ts';
import { createOctetBudget } from './octet-budget.ts';

type Done = (refusal?: ProbeTaskError) => void;

/** Of a body that is refused, so many times the limit are still read. */
const droppedLimits = 8;

/**
 * Calls back with the error that refuses the body, or without any: it is counted then for as long as the request is in
 * hand. One whose length nobody knows beforehand counts as one of the limit. What is refused is read to its end and
 * dropped before the reply, within reason: many callers do not listen before they have sent all of it.
 */
export function createBodyGuard(options: {
  /** Of all that are in hand at once. */
  maxBodyOctets: number;
  inHand: InHand;
}): (request: FastifyRequest, done: Done) => void {
  const { maxBodyOctets, inHand } = options;
  const budget = createOctetBudget(maxBodyOctets);

  function findRefusal(request: FastifyRequest, octets: number): ProbeTaskError | undefined {
    const { bodyLimit } = request.routeOptions;
    if (octets > bodyLimit) return bodyTooLarge(bodyLimit);
    const release = budget.take(octets);
    if (release === undefined) {
      return new ProbeTaskError('OVERLOADED', 'the requests in hand are as large as all may be together');
    }
    inHand.whenLetGo(request, release);
    return undefined;
  }

  return (request, done) => {
    const { headers, raw, routeOptions } = request;
    const { bodyLimit } = routeOptions;
    const isChunked = headers['transfer-encoding'] !== undefined;
    const octets = isChunked ? bodyLimit : Number(headers['content-length'] ?? 0);
    const refusal = findRefusal(request, octets);
    if (refusal === undefined || isChunked || octets > droppedLimits * bodyLimit) done(refusal);
    else raw.once('close', () => done(refusal)).resume();
  };
}

export function bodyTooLarge(bodyLimit: number): ProbeTaskError {
  return new ProbeTaskError('PAYLOAD_TOO_LARGE', `the body is larger than ${bodyLimit} bytes`);
}
