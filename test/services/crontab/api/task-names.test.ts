// Names while tasks are renamed one after the other.
import { expect, test } from 'vitest';
import { createTaskNames } from '../../../../services/crontab/api/task-names.ts';

const owners = [
  { task_id: '1', name: 'a' },
  { task_id: '2', name: 'b' },
];

test('a name that another task has is not given', () => {
  const names = createTaskNames(owners);
  expect(names.rename('1', 'a', 'b')).toBe(false);
  expect(names.idOf('a')).toBe('1');
  expect(names.idOf('b')).toBe('2');
});

test('a name that was given up is free, and leads nowhere until it is taken', () => {
  const names = createTaskNames(owners);
  expect(names.rename('1', 'a', 'c')).toBe(true);
  expect(names.idOf('a')).toBe(undefined);
  expect(names.rename('2', 'b', 'a')).toBe(true);
  expect(names.idOf('a')).toBe('2');
});

test('a task may keep its name', () => {
  const names = createTaskNames(owners);
  expect(names.rename('1', 'a', 'a')).toBe(true);
  expect(names.idOf('a')).toBe('1');
});
