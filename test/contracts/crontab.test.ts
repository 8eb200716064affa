// What an item of the crontab service's calls may be.
import { describe, expect, test } from 'vitest';
import {
  crontabSecretSchema,
  crontabTaskAddSchema,
  crontabTaskKeySchema,
  crontabTaskUpdateSchema,
  parseRedoParam,
} from '../../contracts/crontab.ts';

describe('a key', () => {
  test.each<[unknown, object]>([
    [{ task_id: 12345 }, { task_id: '12345' }],
    [
      { task_id: '12345', name: 'a' },
      { task_id: '12345', name: 'a' },
    ],
    [{ task_id: 0, name: 'a' }, { name: 'a' }],
    [{ task_id: '0', name: 'a' }, { name: 'a' }],
    [{ task_id: '', name: 'a' }, { name: 'a' }],
    [{ task_id: -1, name: 'a' }, { name: 'a' }],
    [{ task_id: null, name: 'a', other: 1 }, { name: 'a' }],
    [{ task_id: 7, name: '' }, { task_id: '7' }],
    [{ task_id: '9'.repeat(18) }, { task_id: '9'.repeat(18) }],
    [{}, {}],
  ])('%j is read as %j', (given, key) => {
    expect(JSON.parse(JSON.stringify(crontabTaskKeySchema.parse(given)))).toEqual(key);
  });

  test.each([1.5, '1.5', '01', 'x', '9'.repeat(19), 2 ** 53, true, [1], {}])(
    'has no id such as %j',
    (task_id) => {
      expect(crontabTaskKeySchema.safeParse({ task_id, name: 'a' }).error?.issues).toMatchObject([
        { path: ['task_id'], message: 'expected a task id as add_task gave it' },
      ]);
    },
  );
});

describe('an item', () => {
  const item = {
    name: 'a',
    enable: 1,
    module: 1,
    type: 2,
    start_time: '@hourly',
    url: 'http://a.example/',
    method: 'POST',
  };

  test('has its method in any case, and null means left out', () => {
    expect(crontabTaskAddSchema.parse({ ...item, body: null, tags: null })).toEqual({
      ...item,
      method: 'post',
    });
  });

  test('is not looked through for what is no field', () => {
    const given: Record<string, unknown> = { ...item };
    Object.defineProperty(given, 'other', {
      enumerable: true,
      get() {
        throw new Error('was looked at');
      },
    });
    expect(crontabTaskAddSchema.safeParse(given).success).toBe(true);
  });

  test('has fields of its own only', () => {
    expect(crontabTaskAddSchema.safeParse(Object.create(item)).success).toBe(false);
  });

  test('with a million tags has few faults', () => {
    const parsed = crontabTaskAddSchema.safeParse({ ...item, tags: Array(1_000_000).fill(1) });
    expect(parsed.error?.issues.length).toBeLessThan(30);
  });

  test('of update_task needs no field at all', () => {
    expect(crontabTaskUpdateSchema.parse({})).toEqual({});
    expect(crontabTaskUpdateSchema.safeParse({ task_id: 1, type: 9 }).success).toBe(false);
  });
});

test.each([
  ['', []],
  ['  ', []],
  ['2 4 8', [2000, 4000, 8000]],
  [' 0  1.5\t60 ', [0, 1500, 60_000]],
])('the delays of %j are %j', (text, delays) => {
  expect(parseRedoParam(text)).toEqual(delays);
});

test.each([
  [23, false],
  [24, true],
  [25, true],
  [26, true],
  [64, true],
  [65, false],
])('a key of %i octets is a secret: %j', (octets, isSecret) => {
  const key = Buffer.alloc(octets, 255).toString('base64');
  expect(crontabSecretSchema.safeParse(`whsec_${key}`).success).toBe(isSecret);
  expect(crontabSecretSchema.safeParse(key).success).toBe(false);
  expect(crontabSecretSchema.safeParse(`whsec_${key}=`).success).toBe(false);
});
