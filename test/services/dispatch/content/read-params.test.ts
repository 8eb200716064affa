import { describe, expect, test } from 'vitest';
import { readParams } from '../../../../services/dispatch/content/read-params.ts';

describe('parameters', () => {
  test('are an object, or one as JSON in a string', () => {
    const value = { params: { port: 80, list: [{ a: '{{ b }}' }] }, secretTexts: [] };
    expect(readParams({ port: 80, list: [{ a: '{{ b }}' }] }, null)).toEqual({ ok: true, value });
    expect(readParams('{"port": 80, "list": [{"a": "{{ b }}"}]}', undefined)).toEqual({ ok: true, value });
  });

  test.each([null, '', {}, '{}', 'null', undefined])('may be nothing: %j', (params) => {
    expect(readParams(params, params)).toEqual({ ok: true, value: { params: {}, secretTexts: [] } });
  });

  test.each<[string, unknown, RegExp]>([
    ['a list', [1], /^params: expected an object/],
    ['a list as JSON', '[1]', /^params: expected an object/],
    ['a text that is no JSON', 'a=hunter2', /^params: expected an object, or a JSON object in a string$/],
    [
      'a connection',
      { ansible_connection: 'local' },
      /ansible_connection: names in ansible_ belong to Ansible/,
    ],
    ['a connection in capitals', { ANSIBLE_Connection: 'local' }, /belong to Ansible/],
    ['a key with a dash', { 'a-b': 1 }, /no name of a variable/],
    ['a key that is a template', { '{{ a }}': 1 }, /no name of a variable/],
    ['an empty key', { '': 1 }, /no name of a variable/],
    ['a word of Python', { class: 1 }, /class is no name of a variable/],
    ['a name of Ansible', { hostvars: {} }, /a name that Ansible sets itself/],
    ['the name of the node', { inventory_hostname: 'x' }, /a name that Ansible sets itself/],
    ['the mark of this service', { probe_plain_mark: 'x' }, /a name that Ansible sets itself/],
    ['a mark of Ansible', { a: [{ __ansible_unsafe: 'hunter2' }] }, /params\.a\[0]: key __ansible_unsafe/],
    ['a vault', { a: { __ansible_vault: 'hunter2' } }, /may not begin with __/],
    ['a prototype', JSON.parse('{"__proto__": {"a": 1}}'), /may not begin with __/],
    ['NUL', { a: 'hunter2\0' }, /NUL/],
    ['half a surrogate pair', { a: 'hunter2\udc00' }, /surrogate/],
    ['deep nesting', { a: JSON.parse(`${'['.repeat(20)}${']'.repeat(20)}`) }, /nested too deeply/],
    ['deep nesting without end', `{"a": ${'['.repeat(20_000)}${']'.repeat(20_000)}}`, /nested too deeply/],
    ['too much', { a: 'hunter2'.repeat(10_000) }, /more than 65536 octets/],
    ['too much in a string', `{"a": "${'hunter2'.repeat(10_000)}"}`, /more than 65536 octets/],
    ['what JSON does not have', { a: () => 1 }, /a value that JSON does not have/],
    ['a number that JSON does not have', { a: Number.NaN }, /a number that JSON does not have/],
    [
      'a number that is not kept exactly',
      '{"a": 12345678901234567890}',
      /^params\.a: a number of too many digits/,
    ],
  ])('are refused with %s, and no value is quoted', (_, params, reason) => {
    const reading = readParams(params, null);
    expect(reading).toEqual({ ok: false, reason: expect.stringMatching(reason) });
    expect(JSON.stringify(reading)).not.toContain('hunter2');
  });
});

describe('secrets', () => {
  function secretTextsOf(params: unknown, secrets: unknown): string[] {
    const reading = readParams(params, secrets);
    if (!reading.ok) throw new Error(reading.reason);
    return reading.value.secretTexts;
  }

  test('become parameters, and no name may be in both', () => {
    expect(readParams({ a: 1 }, { b: 'hunter2' })).toEqual({
      ok: true,
      value: { params: { a: 1, b: 'hunter2' }, secretTexts: ['hunter2'] },
    });
    expect(readParams({ a: 1 }, { a: 'hunter2' })).toEqual({
      ok: false,
      reason: 'secrets: a is in params, too',
    });
  });

  test('are all their texts and longer numbers', () => {
    expect(secretTextsOf({}, { a: 'short', b: { c: ['longer text', 123456, 12, true, 'abc'] } })).toEqual([
      'short',
      'longer text',
      '123456',
    ]);
  });

  test.each([
    'db_password',
    'dbPasswd',
    'PASSPHRASE',
    'client_secret',
    'token',
    'api_key',
    'apikey',
    'ssh_key',
    'credentials',
  ])('are parameters called %s', (name) => {
    expect(secretTextsOf({ [name]: 'hunter2' }, null)).toEqual(['hunter2']);
    expect(secretTextsOf({ a: [{ [name]: { b: 'hunter2' } }] }, null)).toEqual(['hunter2']);
  });

  test('are no parameters of other names', () => {
    expect(secretTextsOf({ user: 'hunter2', keys: 'hunter2', monkey: 'hunter2' }, null)).toEqual([]);
  });

  test('have no more lines than are looked for in good time', () => {
    expect(readParams({}, { key: 'x\n'.repeat(2000) })).toEqual({
      ok: false,
      reason: 'secrets: more than 2000 lines',
    });
  });
});
