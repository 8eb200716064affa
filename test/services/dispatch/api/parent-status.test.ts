// The status of a task of parallel_run, from those of its children.
import { expect, test } from 'vitest';
import { type DispatchStatus, dispatchStatuses } from '../../../../contracts/dispatch.ts';
import { parentStatus } from '../../../../services/dispatch/api/parent-status.ts';

test.each<[DispatchStatus[], DispatchStatus]>([
  [[0], 0],
  [[0, 0, 0], 0],
  [[0, 1], 1],
  [[0, 2], 1],
  [[4, 0], 1],
  [[1, 5], 1],
  [[2, 2], 2],
  [[3], 3],
  [[3, 3], 3],
  [[4, 4], 4],
  [[2, 4], 4],
  [[3, 4, 5], 4],
  [[2, 3], 5],
  [[5, 5], 5],
  [[2, 5], 5],
])('%j make %i', (children, status) => {
  expect(parentStatus(children)).toBe(status);
});

test('what has ended never changes any more', () => {
  const { waiting, running } = dispatchStatuses;
  const all = Object.values(dispatchStatuses);
  for (const a of all) {
    for (const b of all) {
      const isOver = ![a, b].some((status) => status === waiting || status === running);
      expect(parentStatus([a, b]) >= dispatchStatuses.succeeded, `${a} ${b}`).toBe(isOver);
    }
  }
});
