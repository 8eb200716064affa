import { expect, test } from 'vitest';
import { httpOrigin } from '../../../infra/local-stack/http-address.ts';

test.each([
  ['127.0.0.1', 'http://127.0.0.1:80'],
  ['0.0.0.0', 'http://127.0.0.1:80'],
  ['::', 'http://[::1]:80'],
  ['2001:db8::1', 'http://[2001:db8::1]:80'],
  ['probe.example', 'http://probe.example:80'],
])('a service that listens on %s is reached at %s', (host, origin) => {
  expect(httpOrigin(host, 80)).toBe(origin);
});
