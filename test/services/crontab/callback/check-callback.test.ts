// Faults of a callback that are found when its task is stored, and which calls share room.
import { expect, test } from 'vitest';
import { createNetworkPolicy } from '../../../../infra/network/network-policy.ts';
import type { Callback } from '../../../../services/crontab/callback/caller.ts';
import { findCallbackFault, targetOf } from '../../../../services/crontab/callback/check-callback.ts';
import { callbackTo } from './callback-setup.ts';

const networks = createNetworkPolicy({ allow: [], deny: ['10.0.0.0/8'] });

function faultOf(fields: Partial<Callback>) {
  return findCallbackFault(callbackTo('http://127.0.0.1:8080/x', fields), networks);
}

test.each<Partial<Callback>>([
  {},
  { body: '{"a":1}' },
  { body: ' [1] ' },
  { url: 'https://example.com' },
  { url: 'HTTP://Example.com:443/a?b=c#d' },
  { url: 'http://[::1]:80/' },
  { url: 'http://定时.example/路径' },
  { respRegexp: '*' },
  { respRegexp: '(?i)ok|\\bdone\\b.{0,100}' },
  { method: 'get', bodyType: 2, body: '{"a":[1,"x",null,true]}' },
  { bodyType: 2, body: 'a=1&b=%20' },
  { bodyType: 2, body: '' },
  { method: 'rpc', url: '127.0.0.1:1234/Arith.Mul' },
  { method: 'rpc', url: 'host.example:1/a.b.C', body: '1' },
  { method: 'rpc', url: '[fd00::1]:65535/A.B', body: '{}' },
  { method: 'nats', url: 'probe.task.get', body: '{}' },
  { method: 'nats', url: 'probe.agent.get' },
  { method: 'nats', url: 'billing.run', bodyType: 2, body: 'plain text' },
])('%j can be called', (fields) => {
  expect(faultOf(fields)).toBeUndefined();
});

test.each<[Partial<Callback>, string]>([
  [{ url: 'ftp://example.com/' }, 'has the scheme ftp://, expected http:// or https://'],
  [{ url: 'file:///etc/passwd' }, 'has the scheme file://, expected http:// or https://'],
  [{ url: '/path' }, 'is not a URL: expected http://host/path'],
  [{ url: 'example.com/path' }, 'is not a URL: expected http://host/path'],
  [{ url: 'http:example.com' }, 'is not a URL: expected http://host/path'],
  [{ url: 'http://' }, 'is not a URL: expected http://host/path'],
  [{ url: 'http://a b/' }, 'is not a URL: expected http://host/path'],
  [{ url: 'http://example.com:65536/' }, 'is not a URL: expected http://host/path'],
  [{ url: 'http://example.com:0/' }, 'has port 0'],
  [
    { url: 'http://user:pass@example.com/' },
    'holds a login, which would stand in every log; sign with a secret instead',
  ],
  [
    { url: 'http://token@example.com/' },
    'holds a login, which would stand in every log; sign with a secret instead',
  ],
  [{ url: 'http://169.254.169.254/' }, 'goes to 169.254.169.254, which is link-local'],
  [{ url: 'http://2852039166/' }, 'goes to 169.254.169.254, which is link-local'],
  [{ url: 'http://[::ffff:a9fe:a9fe]/' }, 'goes to ::ffff:a9fe:a9fe, which is link-local'],
  [{ url: 'http://10.1/' }, 'goes to 10.0.0.1, which is in a network that is denied here'],
  [{ url: 'http://0/' }, 'goes to 0.0.0.0, which is no address of a host'],
  [{ method: 'rpc', url: '0xa.1:5/A.B' }, 'goes to 10.0.0.1, which is in a network that is denied here'],
  [{ method: 'rpc', url: 'host:0/A.B' }, 'has a port outside 1–65535'],
  [{ method: 'rpc', url: 'host:65536/A.B' }, 'has a port outside 1–65535'],
])('%j is a fault of the url: %s', (fields, reason) => {
  expect(faultOf(fields)).toEqual({ field: 'url', reason });
});

test.each([
  'host/A.B',
  'host:1',
  'host:1/NoDot',
  'host:1/.B',
  'host:1/A.',
  'host:1/A.B/C',
  'host:1/A. B',
  'http://host:1/A.B',
  'user@host:1/A.B',
  'host:80:90/A.B',
  '::1:90/A.B',
  'a\\b:90/A.B',
  ':90/A.B',
])('%j is no url of rpc', (url) => {
  expect(faultOf({ method: 'rpc', url })).toEqual({
    field: 'url',
    reason: 'is not of the form host:port/service.method',
  });
});

test.each(['probe.agent.a.order', '$SYS.REQ', 'a.*', 'a.>', 'a..b', 'a b', '', '_INBOX.x', 'http://host/'])(
  '%j is no subject to call',
  (url) => {
    expect(faultOf({ method: 'nats', url })?.field).toBe('url');
  },
);

test.each<[Partial<Callback>, RegExp]>([
  [{ body: '{a:1}' }, /^is not JSON: /],
  [{ body: 'a=1' }, /^is not JSON: /],
  [{ method: 'get', body: 'x' }, /^is not JSON: /],
  [{ method: 'rpc', url: 'h:1/A.B', body: 'x', bodyType: 2 }, /^is not JSON: /],
  [{ method: 'nats', url: 'a.b', body: 'x' }, /^is not JSON: /],
  [{ bodyType: 2, body: '{"a":{"b":1}}' }, /^has a nested value in "a", which a form cannot carry$/],
  [{ bodyType: 2, body: '{"a":[[1]]}' }, /^has a nested value in "a"/],
  [{ bodyType: 2, body: '{"a":1' }, /^is no JSON object: /],
  [{ bodyType: 2, body: '[1]' }, /^is neither a JSON object nor urlencoded fields$/],
  [{ bodyType: 2, body: 'plain text' }, /^is neither a JSON object nor urlencoded fields$/],
])('%j is a fault of the body', (fields, reason) => {
  expect(faultOf(fields)).toEqual({ field: 'body', reason: expect.stringMatching(reason) });
});

test.each([
  ['(a', /missing closing \)/],
  ['a**', /invalid nested repetition operator/],
  ['(?=a)', /invalid/],
  ['\\1', /invalid escape sequence/],
  ['a{1001}', /invalid repeat count/],
  ['(.{0,100}){9}', /^is too large: \d+ steps/],
])('%s is a fault of resp_regexp', (respRegexp, reason) => {
  expect(faultOf({ respRegexp })).toEqual({
    field: 'resp_regexp',
    reason: expect.stringMatching(reason),
  });
});

test.each<[Partial<Callback>, string]>([
  [{ url: 'http://Example.com/a' }, 'http://example.com:80'],
  [{ url: 'https://example.com/b' }, 'https://example.com:443'],
  [{ url: 'http://127.1:8080/' }, 'http://127.0.0.1:8080'],
  [{ url: 'http://[::1]:81/' }, 'http://[::1]:81'],
  [{ method: 'rpc', url: 'Host:80/A.B' }, 'tcp://host:80'],
  [{ method: 'nats', url: 'a.b' }, 'nats:a.b'],
  [{ url: 'nonsense' }, 'none'],
])('the target of %j is %s', (fields, target) => {
  expect(targetOf(callbackTo('', fields))).toBe(target);
});
