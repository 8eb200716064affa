// By which name a browser knows this machine.
import { expect, test } from 'vitest';
import { isNamedInBrowser } from '../../../infra/http/foreign-page.ts';

const page = { 'sec-fetch-site': 'same-origin' };

test.each(['127.0.0.1:6557', '[::1]:6557', '10.1.2.3', 'localhost:6557', 'crontab.localhost'])(
  'a page at %s is nobody else’s',
  (host) => {
    expect(isNamedInBrowser({ ...page, host })).toBe(false);
  },
);

test.each([
  'evil.example:6557',
  '127.0.0.1.evil.example',
  'localhost.evil.example',
  'notlocalhost',
  '',
  '::',
])('a page at "%s" may be anybody’s', (host) => {
  expect(isNamedInBrowser({ ...page, host })).toBe(true);
  expect(isNamedInBrowser({ origin: `http://${host}`, host })).toBe(true);
});

test('callers other than browsers know it by any name', () => {
  expect(isNamedInBrowser({ host: 'crontab.internal:6557' })).toBe(false);
});
