// The runs in hand, with a cell runner whose outcomes come when the test says so.
import { pino } from 'pino';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Outcome } from '../../../../contracts/agent.ts';
import type { RunPayload } from '../../../../contracts/run.ts';
import { type CellResult, formatResult } from '../../../../services/agent/recurring/cell-result.ts';
import { createHeldRuns, type HeldRuns } from '../../../../services/agent/recurring/held-runs.ts';
import type { ClaimedRun } from '../../../../services/agent/recurring/run-store.ts';
import type { CellGrid, CellRun } from '../../../../services/agent/run-cells.ts';
import { outcomeOf } from '../../../helpers/scripted-agent.ts';

type Order = { grid: CellGrid; run: CellRun; end: () => void; fail: (fault: Error) => void };

let orders: Order[];
let logged: { msg: string; run?: string }[];
let probedCount: number;
let held: HeldRuns;

beforeEach(() => {
  orders = [];
  logged = [];
  probedCount = 0;
  held = createHeldRuns({
    cells: {
      run(grid, run) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        orders.push({ grid, run, end: resolve, fail: reject });
        return promise;
      },
    },
    onProbed: () => {
      probedCount += 1;
    },
    logger: pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) }),
  });
});

const payload: RunPayload = {
  servers: ['192.0.2.1', '192.0.2.2'],
  targets: [
    { domain: 'a.example', rtype: 'A' },
    { domain: 'b.example', rtype: 'MX' },
  ],
  first_cell: 103,
  stride: 10,
};

function claimed(id: string, fields: Partial<ClaimedRun> = {}): ClaimedRun {
  return { claim: { id, attempt: 1 }, taskId: '7', payload, lagMs: 0, expiresInMs: 60_000, ...fields };
}

function orderAt(index: number): Order {
  const order = orders[index];
  if (order === undefined) throw new Error(`no order ${index}`);
  return order;
}

/** Ends an order with an outcome for each of its cells. */
async function answer(index: number, change: Partial<Outcome> = {}): Promise<void> {
  const { grid, run, end } = orderAt(index);
  const before = probedCount;
  for (let cell = grid.servers.length * grid.targets.length - 1; cell >= 0; cell -= 1) {
    run.onOutcome(outcomeOf(cell, change));
  }
  end();
  await vi.waitFor(() => expect(probedCount).toBe(before + 1), { interval: 1 });
}

/** In the order of the cells, which comes first in each. */
function resultsOf(results: string): unknown[][] {
  const parsed: unknown[][] = JSON.parse(results);
  return parsed.toSorted(([one], [other]) => Number(one) - Number(other));
}

const stored = (result: CellResult): unknown[] => JSON.parse(formatResult(result));

const everything = () => held.probed(100, 1_000_000);

describe('a run', () => {
  test('is probed as one grid, in the lane of all runs', () => {
    const before = performance.now();
    held.take(claimed('1'));
    const { grid, run } = orderAt(0);
    expect(grid).toEqual({ servers: payload.servers, targets: payload.targets });
    expect(run).toMatchObject({ lane: 'recurring', askingMs: 5000 });
    expect(run.deadlineAt - before).toBeGreaterThanOrEqual(60_000);
    expect(run.deadlineAt - before).toBeLessThan(61_000);
  });

  test.each([
    [-5000, 5000],
    [100, 5000],
    [86_400_000, 600_000],
  ])('that is too late in %d ms has %d ms', (expiresInMs, expected) => {
    const before = performance.now();
    held.take(claimed('1', { expiresInMs }));
    const leftMs = orderAt(0).run.deadlineAt - before;
    expect(leftMs).toBeGreaterThanOrEqual(expected);
    expect(leftMs).toBeLessThan(expected + 1000);
  });

  test('has results under the numbers that its cells have in the slot', async () => {
    held.take(claimed('1'));
    expect(everything()).toEqual([]);
    await answer(0, { lag: 1.5 });
    const [finished] = everything();
    expect(finished?.claim).toEqual({ id: '1', attempt: 1 });
    const cells = [
      { cell: 103, dns_server: '192.0.2.1', domain: 'a.example', rtype: 'A' },
      { cell: 104, dns_server: '192.0.2.1', domain: 'b.example', rtype: 'MX' },
      { cell: 113, dns_server: '192.0.2.2', domain: 'a.example', rtype: 'A' },
      { cell: 114, dns_server: '192.0.2.2', domain: 'b.example', rtype: 'MX' },
    ];
    expect(resultsOf(finished?.results ?? '')).toEqual(
      cells.map((cell, index) => {
        const { delay, lag: _, ...told } = outcomeOf(index);
        return stored({ ...told, ...cell, delay_ms: delay, lag_ms: 1.5 });
      }),
    );
  });

  test('without any resolver is answered for each target, and nothing is asked', async () => {
    held.take(claimed('1', { payload: { ...payload, servers: [''] } }));
    await vi.waitFor(() => expect(probedCount).toBe(1), { interval: 1 });
    expect(orders).toEqual([]);
    const nothing = {
      ...{ dns_server: '', status: 'NO_RESOLVER', delay_ms: null, lag_ms: null, transport: null },
      ...{ truncated: false, tries: 0, flags: [], answer: [], authority: [], additional: [] },
    };
    expect(resultsOf(everything()[0]?.results ?? '')).toEqual([
      stored({ ...nothing, cell: 103, domain: 'a.example', rtype: 'A' }),
      stored({ ...nothing, cell: 104, domain: 'b.example', rtype: 'MX' }),
    ]);
  });

  test('that cannot be understood is left to its lease, and told in the log', () => {
    held.take(claimed('1', { payload: undefined }));
    expect([held.runCount(), held.cellCount(), orders.length]).toEqual([0, 0, 0]);
    expect(logged).toMatchObject([{ run: '1', msg: 'a run that cannot be understood' }]);
  });

  test('that fails is let go, and told in the log', async () => {
    held.take(claimed('1'));
    orderAt(0).fail(new Error('no such server'));
    await vi.waitFor(() => expect(held.runCount()).toBe(0), { interval: 1 });
    expect(held.cellCount()).toBe(0);
    expect(logged).toMatchObject([{ run: '1', msg: 'a run failed' }]);
    expect(everything()).toEqual([]);
  });

  test('claimed once more goes on under the new claim', async () => {
    held.take(claimed('1'));
    held.take(claimed('1', { claim: { id: '1', attempt: 3 } }));
    expect(orders).toHaveLength(1);
    expect(held.claims()).toEqual([{ id: '1', attempt: 3 }]);
    expect(held.cellCount()).toBe(4);
    await answer(0);
    expect(everything()).toMatchObject([{ claim: { id: '1', attempt: 3 } }]);
  });
});

describe('drop', () => {
  test('lets go of runs, whatever becomes of them, and counts their cells no more', async () => {
    held.take(claimed('1'));
    held.take(claimed('2'));
    expect([held.runCount(), held.cellCount()]).toEqual([2, 8]);
    held.drop([{ id: '1', attempt: 1 }]);
    held.drop([{ id: '1', attempt: 1 }]);
    expect([held.runCount(), held.cellCount()]).toEqual([1, 4]);
    await answer(0);
    expect(everything()).toEqual([]);
    expect(held.claims()).toEqual([{ id: '2', attempt: 1 }]);
  });

  test('keeps a run that was claimed once more since', () => {
    held.take(claimed('1'));
    held.take(claimed('1', { claim: { id: '1', attempt: 2 } }));
    held.drop([{ id: '1', attempt: 1 }]);
    expect(held.claims()).toEqual([{ id: '1', attempt: 2 }]);
    held.drop([{ id: '1', attempt: 2 }]);
    expect([held.runCount(), held.cellCount()]).toEqual([0, 0]);
  });

  test('makes room for a run of the same id', async () => {
    held.take(claimed('1'));
    held.drop(held.claims());
    held.take(claimed('1', { claim: { id: '1', attempt: 2 } }));
    expect(orders).toHaveLength(2);
    await answer(0);
    expect(everything()).toEqual([]);
    await answer(1);
    expect(everything()).toMatchObject([{ claim: { id: '1', attempt: 2 } }]);
  });
});

describe('probed', () => {
  test('gives the oldest first, up to a number of runs, until they are dropped', async () => {
    for (const id of ['1', '2', '3']) held.take(claimed(id));
    await answer(2);
    await answer(1);
    const ids = (limit: number) => held.probed(limit, 1_000_000).map(({ claim }) => claim.id);
    expect(ids(10)).toEqual(['2', '3']);
    expect(ids(1)).toEqual(['2']);
    held.drop([{ id: '2', attempt: 1 }]);
    expect(ids(10)).toEqual(['3']);
  });

  test('gives as many as fit together, and one that is larger than that alone', async () => {
    for (const [index, id] of ['1', '2', '3'].entries()) {
      held.take(claimed(id));
      await answer(index);
    }
    const length = everything()[0]?.results.length ?? 0;
    expect(held.probed(10, 2 * length)).toHaveLength(2);
    expect(held.probed(10, 2 * length - 1)).toHaveLength(1);
    expect(held.probed(10, 1)).toHaveLength(1);
  });
});

describe('putOff', () => {
  const ids = () => everything().map(({ claim }) => claim.id);

  test('moves a run behind the others, for longer each time', async () => {
    for (const [index, id] of ['1', '2'].entries()) {
      held.take(claimed(id));
      await answer(index);
    }
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    for (const ms of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      held.putOff({ id: '1', attempt: 1 });
      expect(ids()).toEqual(['2']);
      vi.advanceTimersByTime(ms - 1);
      expect(ids()).toEqual(['2']);
      vi.advanceTimersByTime(1);
      expect(ids()).toEqual(['2', '1']);
    }
    expect(held.claims().map(({ id }) => id)).toEqual(['2', '1']);
    expect(held.cellCount()).toBe(8);
  });

  test('leaves alone a run that was claimed once more since', async () => {
    held.take(claimed('1'));
    await answer(0);
    held.take(claimed('1', { claim: { id: '1', attempt: 2 } }));
    held.putOff({ id: '1', attempt: 1 });
    expect(ids()).toEqual(['1']);
  });
});

test('tasksHolding tells of which tasks there is so much', () => {
  held.take(claimed('1'));
  held.take(claimed('2'));
  held.take(claimed('3', { taskId: '8' }));
  held.take(claimed('3', { taskId: '8', claim: { id: '3', attempt: 2 } }));
  expect([4, 5, 8, 9].map(held.tasksHolding)).toEqual([['7', '8'], ['7'], ['7'], []]);
  held.drop([{ id: '2', attempt: 1 }]);
  expect(held.tasksHolding(5)).toEqual([]);
  held.drop(held.claims());
  expect(held.tasksHolding(0)).toEqual([]);
});

describe('settle', () => {
  test('waits until all runs are probed', async () => {
    held.take(claimed('1'));
    held.take(claimed('2'));
    let isSettled = false;
    const settling = held.settle(60_000).then(() => {
      isSettled = true;
    });
    await answer(0);
    expect(isSettled).toBe(false);
    await answer(1);
    await settling;
    expect(everything()).toHaveLength(2);
  });

  test('waits no longer than it may', async () => {
    held.take(claimed('1'));
    await held.settle(1);
    expect(everything()).toEqual([]);
    expect(held.runCount()).toBe(1);
  });
});
