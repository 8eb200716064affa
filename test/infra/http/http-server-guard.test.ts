// Who is let in: keys, pages of somebody else, and how many at once.
import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { startScriptedServer } from './scripted-http-server.ts';

const keys = ['first-key-0123456', 'second-key-012345'];

async function call(
  url: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, { method: 'POST', body: '1', headers });
  return { status: response.status, body: await response.json() };
}

describe('with keys', () => {
  test.each([
    { authorization: 'Bearer first-key-0123456' },
    { authorization: 'bearer   second-key-012345' },
    { 'x-api-key': 'second-key-012345' },
    { authorization: 'Basic dTpw', 'x-api-key': 'first-key-0123456' },
    { authorization: 'Bearer wrong', 'x-api-key': 'first-key-0123456' },
  ])('a call with %j is let in', async (headers) => {
    const server = await startScriptedServer({ apiKeys: keys });
    expect(await call(`${server.url()}/echo`, headers)).toEqual({ status: 200, body: { body: 1 } });
  });

  test.each([
    {},
    { authorization: 'first-key-0123456' },
    { authorization: 'Bearer' },
    { authorization: 'Bearer first-key-012345' },
    { authorization: 'Bearer first-key-01234567' },
    { authorization: 'Basic first-key-0123456' },
    { 'x-api-key': 'first-key-0123456, second-key-012345' },
    { 'x-api-key': 'FIRST-KEY-0123456' },
    { 'x-api-key': 'ünïcödé-ünïcödé-ü' },
    { cookie: 'x-api-key=first-key-0123456' },
  ])('a call with %j is refused', async (headers) => {
    const server = await startScriptedServer({ apiKeys: keys });
    const response = await fetch(`${server.url()}/wait`, { method: 'POST', body: 'no JSON', headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.json()).toEqual({
      code: 'UNAUTHORIZED',
      message: 'expected a key, as Authorization: Bearer or X-API-Key',
      status: 401,
    });
  });

  test('a key stands in no line of the log', async () => {
    const server = await startScriptedServer({ apiKeys: keys });
    await call(`${server.url()}/echo`, { 'x-api-key': 'first-key-0123456' });
    await call(`${server.url()}/fail`, { authorization: 'Bearer second-key-012345' });
    await call(`${server.url()}/echo`, { authorization: 'Bearer third-key-0123456' });
    expect(server.logged.length).toBeGreaterThan(3);
    expect(JSON.stringify(server.logged)).not.toMatch(/-key-/);
  });
});

describe('a browser', () => {
  test.each([
    ['on a page of another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['on another port of this machine', { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' }],
    ['of old, on a page of another site', { origin: 'https://evil.example' }],
    ['of old, on a page without an origin', { origin: 'null' }],
  ])('%s is refused', async (_where, headers) => {
    const server = await startScriptedServer();
    expect(await call(`${server.url()}/echo`, { ...headers, 'content-type': 'text/plain' })).toMatchObject({
      status: 401,
      body: { message: 'a page of another origin may not call' },
    });
  });

  test('on the page of the service itself is let in', async () => {
    const server = await startScriptedServer();
    const url = `${server.url()}/echo`;
    expect((await call(url, { 'sec-fetch-site': 'same-origin', origin: 'http://proxy' })).status).toBe(200);
    expect((await call(url, { origin: server.url() })).status).toBe(200);
    expect((await call(url, { 'sec-fetch-site': 'none' })).status).toBe(200);
  });

  test('on a page that knows the service by a name needs a key', async () => {
    const headers = { host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' };
    const open = await startScriptedServer();
    expect((await request(`${open.url()}/echo`, { method: 'POST', headers, body: '{}' })).statusCode).toBe(
      401,
    );
    const [key = ''] = keys;
    const guarded = await startScriptedServer({ apiKeys: keys });
    const keyed = { ...headers, 'x-api-key': key };
    expect(
      (await request(`${guarded.url()}/echo`, { method: 'POST', headers: keyed, body: '{}' })).statusCode,
    ).toBe(200);
  });
});

describe('with as many requests in hand as it takes', () => {
  test('a server refuses one more, and still tells its health', async () => {
    const server = await startScriptedServer({ maxRequests: 2 });
    const held = [1, 2].map(() => call(`${server.url()}/wait`, {}));
    await server.waiting(2);
    const response = await fetch(`${server.url()}/echo`, { method: 'POST', body: '1' });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await response.json()).toMatchObject({
      code: 'OVERLOADED',
      message: '2 requests are being answered already',
    });
    expect((await fetch(`${server.url()}/readyz`)).status).toBe(200);
    server.letGo();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await call(`${server.url()}/echo`, {})).status).toBe(200);
  });

  test('a server counts those whose caller has left, until their handler is done', async () => {
    const server = await startScriptedServer({ maxRequests: 1 });
    const leaving = new AbortController();
    const left = fetch(`${server.url()}/wait`, { method: 'POST', body: '1', signal: leaving.signal });
    await server.waiting(1);
    leaving.abort();
    await expect(left).rejects.toThrow();
    await server.counted('probe_http_requests_total{route="/wait",status="aborted"}');
    expect((await call(`${server.url()}/echo`, {})).status).toBe(429);
    server.letGo();
    await server.counted('probe_http_in_hand ', 0);
    expect((await call(`${server.url()}/echo`, {})).status).toBe(200);
  });
});
