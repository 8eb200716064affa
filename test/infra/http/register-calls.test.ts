// Calls of every kind against a real server: in the query, under other methods and paths, with octets in and out.
import { describe, expect, test } from 'vitest';
import { startScriptedServer } from './scripted-http-server.ts';

async function ask(url: string, init: RequestInit = {}): Promise<unknown[]> {
  const response = await fetch(url, init);
  return [response.status, await response.json()];
}

describe('a query', () => {
  test.each<[string, object]>([
    ['', {}],
    ['?', {}],
    ['?a=1&b=x%20y&c=%E6%8B%A8+%E6%B5%8B', { a: '1', b: 'x y', c: '拨 测' }],
    ['?a=1=2?3', { a: '1=2?3' }],
    ['?a=&b&c=0', { c: '0' }],
    ['?%zz=%zz', { '%zz': '%zz' }],
    ['?a=%ff', { a: '\uFFFD' }],
    ['?a[]=1&a[b]=2', { 'a[]': '1', 'a[b]': '2' }],
  ])('%j is read as %j', async (query, request) => {
    const server = await startScriptedServer();
    expect(await ask(`${server.url()}/query${query}`)).toEqual([200, { query: request }]);
  });

  test('may have names that objects inherit', async () => {
    const server = await startScriptedServer();
    const response = await fetch(`${server.url()}/query?__proto__=a&constructor=b`);
    expect(await response.text()).toBe('{"query":{"__proto__":"a","constructor":"b"}}');
  });

  test('that gives a parameter twice is refused', async () => {
    const server = await startScriptedServer();
    const [status, body] = await ask(`${server.url()}/query?a=1&b=2&a=1&b=`);
    expect([status, body]).toMatchObject([
      400,
      { code: 'INVALID_REQUEST', message: 'a: is given more than once (and 1 more)' },
    ]);
  });

  test('counts for nothing in a POST', async () => {
    const server = await startScriptedServer();
    const posted = await ask(`${server.url()}/echo?a=1&a=2`, { method: 'POST', body: '7' });
    expect(posted).toEqual([200, { body: 7 }]);
  });
});

describe('a path', () => {
  test('may have a call for each method', async () => {
    const server = await startScriptedServer();
    for (const method of ['POST', 'PUT']) {
      const expected = { [method.toLowerCase()]: { a: 1 } };
      expect(await ask(`${server.url()}/both`, { method, body: '{"a":1}' })).toEqual([200, expected]);
    }
  });

  test.each([
    ['GET', '/both', 'POST, PUT'],
    ['POST', '/query', 'GET, HEAD'],
    ['PUT', '/octets-too', 'POST'],
  ])('%s %s is told which methods to take', async (method, path, allow) => {
    const server = await startScriptedServer();
    const response = await fetch(`${server.url()}${path}`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
  });

  test.each(['/octets', '/also/octets', '/octets-too'])('%s is one of three for a call', async (path) => {
    const server = await startScriptedServer();
    const reply = await ask(`${server.url()}${path}`, { method: 'POST', body: '{}' });
    expect(reply).toEqual([200, { length: 2, first: 0x7b }]);
    await server.counted(`probe_http_requests_total{route="${path}",status="200"}`);
  });
});

describe('octets', () => {
  test.each<[string, Uint8Array<ArrayBuffer>, object]>([
    ['no JSON', Uint8Array.of(0xff, 0, 1), { length: 3, first: 255 }],
    ['nothing', Uint8Array.of(), { length: 0, first: null }],
  ])('of a body come as they are: %s', async (_kind, body, reply) => {
    const server = await startScriptedServer();
    expect(await ask(`${server.url()}/octets`, { method: 'POST', body })).toEqual([200, reply]);
  });

  test('of a reply go as they are', async () => {
    const server = await startScriptedServer();
    const text = '{"a": 1.0,\n "b": "拨测"}';
    const response = await fetch(`${server.url()}/encoded`, { method: 'POST', body: JSON.stringify(text) });
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(text)));
    expect(await response.text()).toBe(text);
  });
});
