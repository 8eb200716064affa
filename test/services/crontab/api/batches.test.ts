// Ten thousand items in one request, good, bad and mixed: each gets its result, and others have their turn meanwhile.
import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { CrontabItemResult } from '../../../../contracts/crontab.ts';
import { createNetworkPolicy } from '../../../../infra/network/network-policy.ts';
import { createCrontabHandlers } from '../../../../services/crontab/api/handlers.ts';
import { useCrontabTables } from '../crontab-tables.ts';

const tables = useCrontabTables();
const count = 10_000;

function task(index: number) {
  return {
    name: `任务 ${index}`,
    enable: 1,
    module: index % 10,
    type: 2,
    start_time: `${index % 60} */5 * * * *`,
    url: `http://h${index % 100}.example/${index}`,
    method: 'post',
    body: JSON.stringify({ index }),
    resp_regexp: 'ok',
    redo_param: '2 4 8',
    tags: [`t${index % 7}`],
  };
}

function list<Item>(make: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** One batch, parsed already: the results, and the longest that this thread was at work without a turn for others. */
async function take(
  name: 'addTask' | 'updateTask' | 'pauseTask' | 'resumeTask' | 'runAgainTask' | 'deleteTask',
  items: unknown[],
): Promise<{ results: CrontabItemResult[]; longestMs: number }> {
  const { database, logger } = tables;
  const handlers = createCrontabHandlers({
    database,
    networks: createNetworkPolicy({ allow: [], deny: [] }),
    timeZone: 'UTC',
    onRunsAdded: () => undefined,
    logger,
  });
  let isDone = false;
  let longestMs = 0;
  async function watch(): Promise<void> {
    // Of this thread's own time: a machine that has more to do than it can makes it no longer.
    for (let before = process.threadCpuUsage(); !isDone; before = process.threadCpuUsage()) {
      await setImmediate();
      const { user, system } = process.threadCpuUsage(before);
      longestMs = Math.max(longestMs, (user + system) / 1000);
    }
  }
  const watching = watch();
  const { signal } = new AbortController();
  const context = { requestId: 'batch', logger, header: () => undefined, signal };
  const { data } = await handlers[name]({ task_list: items }, context);
  isDone = true;
  await watching;
  return { results: data.task_result, longestMs };
}

const longestAllowedMs = 100;

async function countTasks(): Promise<number> {
  const rows = await tables.query(
    sql<{ count: number }>`select count(*)::integer as count from crontab_task`,
  );
  return rows[0]?.count ?? 0;
}

describe('ten thousand tasks', () => {
  test('are added, changed, renamed, run again, paused, resumed and deleted', async () => {
    const added = await take('addTask', list(task));
    expect(await countTasks()).toBe(count);
    const keys = added.results.map(({ task_id }) => ({ task_id }));
    const steps = [
      added,
      await take(
        'updateTask',
        list((index) => ({ name: task(index).name, start_time: '1 2 3 * * *' })),
      ),
      await take(
        'updateTask',
        list((index) => ({ ...keys[index], new_name: `任务 ${count - 1 - index}` })),
      ),
      await take(
        'updateTask',
        list((index) => ({ ...keys[index], new_name: `new ${index}` })),
      ),
      await take('runAgainTask', keys),
      await take('pauseTask', keys),
      await take('resumeTask', keys),
      await take('deleteTask', keys),
    ];
    for (const { results, longestMs } of steps) {
      expect(results).toHaveLength(count);
      expect(results.map(({ task_id: id }) => id)).toEqual(keys.map(({ task_id: id }) => id));
      expect(longestMs).toBeLessThan(longestAllowedMs);
    }
    // The names went round in parts: most of them were taken by a task whose turn had not come.
    const [, , round, renamed] = steps;
    expect(
      steps.filter((step) => step !== round).flatMap(({ results }) => results.filter(({ err }) => err)),
    ).toEqual([]);
    for (const { err } of round?.results ?? [])
      expect(['', 'name: another task has this name']).toContain(err);
    expect(renamed?.results[7]?.name).toBe('new 7');
    expect(await countTasks()).toBe(0);
    const log = await tables.query(sql<{ count: number }>`
      select count(*)::integer as count from crontab_log where status = 4 and run_type = 3`);
    expect(log).toEqual([{ count }]);
  }, 60_000);

  test('that are all bad are all refused, and the process lives', async () => {
    const { results, longestMs } = await take('addTask', [
      ...list((index) => {
        switch (index % 5) {
          case 0:
            return { ...task(index), type: 9, enable: 7, url: 5, method: [], tags: [1, 2, 3] };
          case 1:
            return 'x';
          case 2:
            return { ...task(index), type: 6, start_time: '0 0 0 30 2 *', url: 'ftp://x', resp_regexp: '(' };
          case 3:
            return { ...task(index), body: '{', redo_param: 'x'.repeat(200) };
          default:
            return { ...task(index), tags: Array(10_000).fill(1), name: 'n'.repeat(10_000) };
        }
      }),
    ]);
    expect(results).toHaveLength(count);
    expect(results.filter(({ state }) => state === 0)).toEqual([]);
    expect(new Set(results.map(({ state }) => state))).toEqual(new Set([1, 4, 5]));
    expect(longestMs).toBeLessThan(longestAllowedMs);
    expect(await countTasks()).toBe(0);
  });

  test('of which some are bad are stored but for those', async () => {
    const { results, longestMs } = await take(
      'addTask',
      list((index) => (index % 2 === 0 ? task(index % 5000) : { ...task(index), url: 'none' })),
    );
    expect(results.filter(({ state }) => state === 0)).toHaveLength(2500);
    expect(results.filter(({ state }) => state === 4)).toHaveLength(5000);
    expect(results.filter(({ state }) => state === 5)).toHaveLength(2500);
    expect(longestMs).toBeLessThan(longestAllowedMs);
    expect(await countTasks()).toBe(2500);
  });
});
