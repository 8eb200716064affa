// Where a callback goes, read from its url.
import { isCallableSubject } from '../../../contracts/subjects.ts';
import { keepResults } from './bounded-cache.ts';
import type { Callback } from './callback.ts';

export type HttpTarget = {
  kind: 'http';
  /** IP literal without brackets, or a name. */
  host: string;
  origin: string;
  /** With the query, without the fragment. */
  path: string;
  /** Calls of one target share room. */
  key: string;
};
export type RpcTarget = { kind: 'rpc'; host: string; port: number; method: string; key: string };
export type NatsTarget = { kind: 'nats'; subject: string; key: string };
export type Target = HttpTarget | RpcTarget | NatsTarget;
export type ParsedTarget = Target | { kind: 'none'; reason: string; key: string };

const maxKeptTargets = 10_000;
const defaultPorts: Record<string, string> = { 'http:': '80', 'https:': '443' };

const parseHttp = keepResults(maxKeptTargets, parseHttpTarget);
const parseRpc = keepResults(maxKeptTargets, parseRpcTarget);
const parseNats = keepResults(maxKeptTargets, parseNatsTarget);

/** Reads the url of a callback; of what cannot be called, the reason why. */
export function parseTarget({ method, url }: Pick<Callback, 'method' | 'url'>): ParsedTarget {
  if (method === 'rpc') return parseRpc(url);
  return method === 'nats' ? parseNats(url) : parseHttp(url);
}

function parseHttpTarget(text: string): ParsedTarget {
  const url = URL.parse(text);
  const defaultPort = url === null ? undefined : defaultPorts[url.protocol];
  if (url === null || !/^[a-z]+:\/\//i.test(text)) return none('is not a URL: expected http://host/path');
  if (defaultPort === undefined)
    return none(`has the scheme ${url.protocol}//, expected http:// or https://`);
  if (url.username !== '' || url.password !== '')
    return none('holds a login, which would stand in every log; sign with a secret instead');
  if (url.port === '0') return none('has port 0');
  return {
    kind: 'http',
    host: withoutBrackets(url.hostname),
    origin: url.origin,
    path: url.pathname + url.search,
    key: `${url.protocol}//${url.hostname}:${url.port === '' ? defaultPort : url.port}`,
  };
}

const rpcForm = /^(\[[\da-f:.]+\]|[^\s/\\@?#:[\]]+):(\d{1,5})\/([^\s/]+\.[^\s/.]+)$/i;

function parseRpcTarget(text: string): ParsedTarget {
  const [, authority = '', portText = '', method = ''] = rpcForm.exec(text) ?? [];
  // Read as that of a URL, so that 127.1 is the address it means.
  const url = authority === '' ? null : URL.parse(`http://${authority}`);
  if (url === null) return none('is not of the form host:port/service.method');
  const port = Number(portText);
  if (port < 1 || port > 65_535) return none('has a port outside 1–65535');
  return {
    kind: 'rpc',
    host: withoutBrackets(url.hostname),
    port,
    method,
    key: `tcp://${url.hostname}:${port}`,
  };
}

function parseNatsTarget(subject: string): ParsedTarget {
  // A legal subject, and hardly what was meant.
  if (subject.includes('://')) return none('is a URL, which the methods post and get call');
  if (isCallableSubject(subject)) return { kind: 'nats', subject, key: `nats:${subject}` };
  return none('is no subject that may be called: tokens parted by dots, no wildcards, none of the system');
}

function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

function none(reason: string): ParsedTarget {
  return { kind: 'none', reason, key: 'none' };
}
