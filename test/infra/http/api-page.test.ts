// The page of an API and the document behind it, as a browser asks for them.
import { expect, test } from 'vitest';
import { createCrontabDocument } from '../../../contracts/crontab-openapi.ts';
import { registerApiPage } from '../../../infra/http/api-page.ts';
import { type ScriptedHttpServer, startScriptedServer } from './scripted-http-server.ts';

const document = createCrontabDocument();

function startWithPage(): Promise<ScriptedHttpServer> {
  return startScriptedServer({
    apiKeys: ['0123456789abcdef'],
    registerOpen: (app) => registerApiPage(app, document),
  });
}

test('the document is given without a key', async () => {
  const server = await startWithPage();
  const response = await fetch(`${server.url()}/openapi.json`);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(await response.json()).toEqual(JSON.parse(JSON.stringify(document)));
});

test.each(['/docs', '/docs/'])(
  'the page at %s and all that it needs come from the server, without a key',
  async (path) => {
    const server = await startWithPage();
    const page = await fetch(`${server.url()}${path}`, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self';");
    const html = await page.text();
    expect(html).toContain('<title>Crontab</title>');
    const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = '']) => address);
    expect(assets.length).toBeGreaterThan(4);
    for (const asset of assets) {
      const url = new URL(asset, `${server.url()}${path}`);
      expect(url.origin).toBe(server.url());
      expect((await fetch(url)).status, asset).toBe(200);
    }
  },
);

test('the page shows the document', async () => {
  const server = await startWithPage();
  const shown = await fetch(`${server.url()}/docs/json`);
  expect(await shown.json()).toEqual(JSON.parse(JSON.stringify(document)));
});

test('what the page has not got is refused in the service’s own form', async () => {
  const server = await startWithPage();
  const response = await fetch(`${server.url()}/docs/static/nothing.js`);
  expect([response.status, await response.json()]).toMatchObject([404, { code: 'NOT_FOUND' }]);
  const outside = await fetch(`${server.url()}/docs/static/..%2f..%2fpackage.json`);
  expect(outside.status).toBeGreaterThanOrEqual(400);
});

test('calls beside the page need the key', async () => {
  const server = await startWithPage();
  const call = (headers: Record<string, string>) =>
    fetch(`${server.url()}/echo`, { method: 'POST', body: '1', headers });
  expect((await call({ 'sec-fetch-site': 'same-origin' })).status).toBe(401);
  expect((await call({ 'sec-fetch-site': 'same-origin', 'x-api-key': '0123456789abcdef' })).status).toBe(200);
});
