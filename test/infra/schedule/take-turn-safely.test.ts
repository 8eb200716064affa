// Turns of which some tasks make the transaction fail: which tasks are planned, and which are given up.
import { expect, test } from 'vitest';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import { takeTurnSafely } from '../../../infra/schedule/take-turn-safely.ts';

/** Of tasks `0` to `count - 1`, those in `bad` make a turn fail that has locked them. */
async function take(count: number, bad: Record<string, Error>) {
  const due = Array.from({ length: count }, (_, task) => String(task));
  const givenUp: [string, unknown][] = [];
  let attempts = 0;
  const planned = await takeTurnSafely<string[]>({
    async attempt({ among, onLocked }) {
      attempts += 1;
      const locked = due.filter((task) => among?.includes(task) ?? true);
      onLocked(locked);
      const [fault] = locked.flatMap((task) => bad[task] ?? []);
      if (fault !== undefined) throw fault;
      return locked;
    },
    async giveUp(task, fault) {
      givenUp.push([task, fault]);
    },
    join: (turns) => ['joined', ...turns.flat()],
  });
  return { planned, givenUp, attempts };
}

test('a turn without a fault is taken once, as it is', async () => {
  expect(await take(3, {})).toEqual({ planned: ['0', '1', '2'], givenUp: [], attempts: 1 });
});

test('tasks at fault are given up, and the others are planned, each once', async () => {
  const bad = { '3': new Error('third'), '17': new Error('seventeenth') };
  const { planned, givenUp, attempts } = await take(500, bad);
  expect(givenUp).toEqual(Object.entries(bad));
  const others = Array.from({ length: 500 }, (_, task) => String(task)).filter((task) => !(task in bad));
  expect(planned).toEqual(['joined', ...others]);
  expect(attempts).toBeLessThan(40);
});

test('a task that is alone and at fault is given up without a further turn', async () => {
  const fault = new Error('bad');
  expect(await take(1, { '0': fault })).toEqual({
    planned: ['joined'],
    givenUp: [['0', fault]],
    attempts: 1,
  });
});

test('a turn that fails before it has locked anything fails', async () => {
  const fault = new Error('no lock');
  const work = takeTurnSafely({
    attempt: () => Promise.reject(fault),
    giveUp: () => Promise.reject(new Error('gave up')),
    join: () => 'joined',
  });
  await expect(work).rejects.toBe(fault);
});

test('no task is given up for want of the database', async () => {
  const away = new ProbeTaskError('UNAVAILABLE', 'the database is away');
  await expect(take(1, { '0': away })).rejects.toBe(away);
  await expect(take(8, { '5': away })).rejects.toBe(away);
});
