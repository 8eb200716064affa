// How many turns are taken, and how many at once.
import { expect, test } from 'vitest';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import { catchUp } from '../../../infra/schedule/catch-up.ts';
import type { TurnSize } from '../../../infra/schedule/turn-size.ts';

const maxTurnTasks = 500;
const full: TurnSize = { isFull: true, nextLimit: maxTurnTasks };
const last: TurnSize = { ...full, isFull: false };
/** Cut for the sake of what its tasks have. */
const cut: TurnSize = { ...full, nextLimit: 7 };

/** Takes the turns in this order, each of which ends when all that can go with it have begun; counts them. */
function script(...turns: (TurnSize | Error)[]) {
  const taken = { count: 0, atOnce: 0, mostAtOnce: 0 };
  async function takeTurn(): Promise<TurnSize> {
    const turn = turns[taken.count] ?? last;
    taken.count += 1;
    taken.atOnce += 1;
    taken.mostAtOnce = Math.max(taken.mostAtOnce, taken.atOnce);
    await new Promise(setImmediate);
    taken.atOnce -= 1;
    if (turn instanceof Error) throw turn;
    return turn;
  }
  return { taken, takeTurn };
}

const unaborted = new AbortController().signal;

test('one turn is taken where it has all that is due', async () => {
  const { taken, takeTurn } = script(last);
  expect(await catchUp(takeTurn, { turnsAtOnce: 2, maxTurnTasks, signal: unaborted })).toEqual({
    hasMore: false,
  });
  expect(taken.count).toBe(1);
});

test('full turns are followed by others, as many at once as may be, until none is full', async () => {
  const { taken, takeTurn } = script(full, full, full, full, full);
  expect(await catchUp(takeTurn, { turnsAtOnce: 2, maxTurnTasks, signal: unaborted })).toEqual({
    hasMore: false,
  });
  // Both find at the same time that nothing is left.
  expect(taken).toMatchObject({ count: 7, mostAtOnce: 2 });
});

test('turns beside one that is not full end with it, and there may be more', async () => {
  const { taken, takeTurn } = script(full, full, last, ...Array(100).fill(full));
  expect(await catchUp(takeTurn, { turnsAtOnce: 2, maxTurnTasks, signal: unaborted })).toEqual({
    hasMore: true,
  });
  expect(taken.count).toBeLessThan(6);
});

test('one at a time where no more may be', async () => {
  const { taken, takeTurn } = script(full, full, full);
  expect(await catchUp(takeTurn, { turnsAtOnce: 1, maxTurnTasks, signal: unaborted })).toEqual({
    hasMore: false,
  });
  expect(taken).toMatchObject({ count: 4, mostAtOnce: 1 });
});

test('a turn that was cut is followed by none at once, and there is more', async () => {
  const alone = script(cut);
  expect(await catchUp(alone.takeTurn, { turnsAtOnce: 2, maxTurnTasks, signal: unaborted })).toEqual({
    hasMore: true,
  });
  expect(alone.taken.count).toBe(1);
  const later = script(full, cut, last);
  expect(await catchUp(later.takeTurn, { turnsAtOnce: 2, maxTurnTasks, signal: unaborted })).toEqual({
    hasMore: true,
  });
  expect(later.taken.count).toBe(3);
});

test('a fault is thrown when the turns beside it have ended', async () => {
  const fault = new Error('away');
  const { taken, takeTurn } = script(full, fault, ...Array(100).fill(full));
  await expect(catchUp(takeTurn, { turnsAtOnce: 2, maxTurnTasks, signal: unaborted })).rejects.toBe(fault);
  expect(taken.atOnce).toBe(0);
  expect(taken.count).toBeLessThan(6);
});

test('no fault is lost when two turns fail', async () => {
  const faults = [new ProbeTaskError('UNAVAILABLE', 'away'), new Error('a bug')];
  const { takeTurn } = script(full, ...faults);
  await expect(catchUp(takeTurn, { turnsAtOnce: 2, maxTurnTasks, signal: unaborted })).rejects.toMatchObject({
    errors: faults,
  });
});

test('nothing begins after the signal', async () => {
  const stopping = new AbortController();
  const { taken, takeTurn } = script(...Array(100).fill(full));
  const work = catchUp(
    async () => {
      if (taken.count === 6) stopping.abort();
      return takeTurn();
    },
    { turnsAtOnce: 2, maxTurnTasks, signal: stopping.signal },
  );
  expect(await work).toEqual({ hasMore: true });
  expect(taken.count).toBeLessThan(10);
});
