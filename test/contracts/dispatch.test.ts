// What a request of the dispatch channel may be, and what its errors come back as.
import { describe, expect, test } from 'vitest';
import {
  dispatchLogRequestSchema,
  dispatchRunRequestSchema,
  dispatchTaskKeySchema,
  maxDispatchNodes,
  parseDispatchNode,
} from '../../contracts/dispatch.ts';
import { dispatchStatusOf } from '../../contracts/dispatch-api.ts';
import { errorCatalog, isErrorCode } from '../../contracts/errors.ts';

describe('a node', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1', 22, '10.0.0.1'],
    ['10.0.0.1:22', '10.0.0.1', 22, '10.0.0.1'],
    ['10.0.0.1:2222', '10.0.0.1', 2222, '10.0.0.1:2222'],
    ['2001:DB8:0::1', '2001:db8::1', 22, '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1', 22, '2001:db8::1'],
    ['[2001:db8::1]:65535', '2001:db8::1', 65_535, '[2001:db8::1]:65535'],
    ['::ffff:10.0.0.1', '10.0.0.1', 22, '10.0.0.1'],
    ['[::ffff:10.0.0.1]:23', '10.0.0.1', 23, '10.0.0.1:23'],
  ])('%s is %s, port %i, told as %s', (given, address, port, text) => {
    expect(parseDispatchNode(given)).toEqual({ address, port, text });
  });

  test.each([
    '',
    'localhost',
    'node1.example',
    '10.0.0.[1:3]',
    '10.0.0.1,10.0.0.2',
    '10.0.0.1 ansible_connection=local',
    '10.0.0.1\n10.0.0.2',
    '10.0.0.0/24',
    '10.0.0',
    '010.0.0.1',
    '0x0a000001',
    '10.0.0.1:',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    '10.0.0.1:2222:1',
    '[10.0.0.1]:22',
    '[10.0.0.1',
    'fe80::1%eth0',
    '[::1]x',
    '-oProxyCommand=x',
    '@/etc/passwd',
    '１０.0.0.1',
    ' 10.0.0.1',
  ])('is never %j', (given) => {
    expect(parseDispatchNode(given)).toBeUndefined();
  });

  test('is never a long text, which is decided at once', () => {
    const before = performance.now();
    expect(parseDispatchNode(`${':'.repeat(100_000)}[`)).toBeUndefined();
    expect(performance.now() - before).toBeLessThan(1000);
  });
});

describe('a run', () => {
  const run = { nodes: ['10.0.0.1'], user: 'root', name: 'a', tasks: [], params: {}, fork_num: 5 };

  test.each([
    [{ fork_num: '7' }, { fork_num: 7 }],
    [{ fork_num: '-7' }, { fork_num: -7 }],
    [{ user: null }, { user: null }],
    [{ user: '' }, { user: null }],
    [{ params: '{"a":1}' }, { params: '{"a":1}' }],
    [{ params: null, timeout: null, secrets: null, tasktype: null, more: 1 }, { params: null }],
    [{ name: '拨测'.repeat(100) }, { name: '拨测'.repeat(100) }],
  ])('is read: %#', (given, read) => {
    expect(dispatchRunRequestSchema.parse({ ...run, ...given })).toMatchObject(read);
  });

  test('has each of its nodes once', () => {
    const nodes = ['::1', '10.0.0.1:22', '0:0::1', '10.0.0.1', '10.0.0.1:23'];
    const { nodes: read } = dispatchRunRequestSchema.parse({ ...run, nodes });
    expect(read.map(({ text }) => text)).toEqual(['::1', '10.0.0.1', '10.0.0.1:23']);
  });

  test.each<[object, string]>([
    [{ nodes: '10.0.0.1' }, 'expected a list of IP addresses'],
    [{ nodes: [] }, 'expected at least one node'],
    [{ nodes: Array(maxDispatchNodes + 1).fill('::1') }, 'expected at most 1000 nodes'],
    [{ nodes: [7] }, 'expected an IP address, with or without a port'],
    [{ nodes: ['::1', 'x'] }, 'expected an IP address, with or without a port'],
    [{ user: 'root;id' }, 'expected the name of a login'],
    [{ user: '-oProxyCommand=x' }, 'expected the name of a login'],
    [{ user: 7 }, 'expected the name of a login, or null'],
    [{ name: '' }, 'is empty'],
    [{ name: 'a\0' }, 'has control characters'],
    [{ name: '\ud800' }, 'has half a surrogate pair'],
    [{ params: [] }, 'expected an object, or a JSON object in a string'],
    [{ fork_num: 1.5 }, 'expected a whole number'],
    [{ fork_num: '5 --become' }, 'expected a whole number'],
  ])('is refused: %#: $1', (given, message) => {
    const { error } = dispatchRunRequestSchema.safeParse({ ...run, ...given });
    expect(error?.issues.map((issue) => issue.message)).toContain(message);
  });

  test('with a million nodes that are none has few faults', () => {
    const { error } = dispatchRunRequestSchema.safeParse({ ...run, nodes: Array(1_000_000).fill(7) });
    expect(error?.issues.length).toBeLessThan(1100);
  });
});

describe('a key', () => {
  test.each<[unknown, object]>([
    [{ id: 7 }, { id: '7' }],
    [
      { id: '7', name: 'a' },
      { id: '7', name: 'a' },
    ],
    [{ id: 0, name: 'a' }, { name: 'a' }],
    [{ id: null, name: 'a', more: 1 }, { name: 'a' }],
    [{ id: 7, name: '' }, { id: '7' }],
    [{ id: '9'.repeat(18) }, { id: '9'.repeat(18) }],
  ])('%j is read as %j', (given, key) => {
    expect(JSON.parse(JSON.stringify(dispatchTaskKeySchema.parse(given)))).toEqual(key);
  });

  test.each([{}, { id: 0 }, { id: null, name: null }, { name: '' }])('%j is none', (given) => {
    expect(dispatchTaskKeySchema.safeParse(given).error?.issues).toMatchObject([
      { message: 'id and name are missing' },
    ]);
  });

  test.each([-1, 1.5, '1.5', 'x', '9'.repeat(19), 2 ** 53, true, [1]])('has no id such as %j', (id) => {
    expect(dispatchTaskKeySchema.safeParse({ id, name: 'a' }).error?.issues).toMatchObject([
      { path: ['id'], message: 'expected the id of a task' },
    ]);
  });
});

test('a log has a host and a source', () => {
  expect(dispatchLogRequestSchema.safeParse({ host: '::1', source: 'a' }).success).toBe(true);
  expect(dispatchLogRequestSchema.safeParse({ host: '', source: 'a' }).success).toBe(false);
  expect(dispatchLogRequestSchema.safeParse({ host: '::1' }).success).toBe(false);
});

test('an error is 400, 404 or 500, or one of HTTP’s own', () => {
  const codes = Object.keys(errorCatalog).filter(isErrorCode);
  expect([...new Set(codes.map(dispatchStatusOf))].toSorted()).toEqual([400, 401, 404, 405, 413, 429, 500]);
  expect(dispatchStatusOf('CONFLICT')).toBe(400);
  expect(dispatchStatusOf('UNAVAILABLE')).toBe(500);
});
