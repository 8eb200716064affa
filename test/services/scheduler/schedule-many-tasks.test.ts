// Turns of the scheduler with more due tasks than one of them takes.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { useTurns, yearly, yearMs } from './use-turns.ts';

const { tables, turn, readSlots, countRuns } = useTurns();

describe('many tasks', () => {
  async function addTasks(count: number, target: unknown): Promise<void> {
    await tables.query(sql`
      insert into probe_task (type, service_type, cycle, probe_data, target, status, pinned, updated_at)
      select 'dns', 'dnsMonitor', ${yearMs / 1000}, '{"dns_servers": ["1.1.1.1"]}', ${JSON.stringify(target)}::jsonb, 1, false,
        now() - ${yearMs}::float8 * interval '1 ms'
      from generate_series(1, ${count}::integer)`);
  }

  test('planned by four schedulers at once have one slot each', async () => {
    await tables.addAgent('a');
    await addTasks(1200, [{ type: 'domain', rtype: 'A', data: 'a.example' }]);
    const turns = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const planned: string[] = [];
        for (;;) {
          const { slots } = await turn();
          if (slots.length === 0) return planned;
          planned.push(...slots.map(({ taskId }) => taskId));
        }
      }),
    );
    const planned = turns.flat();
    expect(planned).toHaveLength(1200);
    expect(new Set(planned).size).toBe(1200);
    expect(await readSlots()).toHaveLength(1200);
    expect(await countRuns()).toBe(1200);
    expect(await tables.query(sql`select from probe_task where next_at < now()`)).toEqual([]);
  });

  test('are planned over several turns when they have too many cells for one', async () => {
    await tables.addAgent('a');
    const [group] = await tables.query(sql<{ id: number }>`
      insert into domain_group (name, domains)
      select 'g', array_agg('n' || n || '.example') from generate_series(1, 5000) n returning id`);
    await addTasks(
      3,
      Array.from({ length: 12 }, () => ({ type: 'domain_group', rtype: 'A', domain_group_id: group?.id })),
    );
    const sizes: [number, boolean][] = [];
    for (let round = 0; round < 3; round += 1) {
      const { slots, isFull } = await turn();
      sizes.push([slots.length, isFull]);
    }
    expect(sizes).toEqual([
      [2, true],
      [1, false],
      [0, false],
    ]);
    expect(await countRuns()).toBe(3 * 600);
  });

  test('of many targets are read a few at a time, and fewer are locked for it', async () => {
    await tables.addAgent('a');
    // Names that hardly compress: a task takes a quarter of what a turn reads.
    const [row] = await tables.query(sql<{ target: unknown }>`
      select jsonb_agg(jsonb_build_object('type', 'domain', 'rtype', 'A', 'data', sha512(n::text::bytea)::text)) as target
      from generate_series(1, 1800) n`);
    await addTasks(13, row?.target);
    const sizes: [number, boolean, number][] = [];
    let limit = 500;
    for (let round = 0; round < 4; round += 1) {
      const { slots, isFull, nextLimit } = await turn({ limit });
      sizes.push([slots.length, isFull, nextLimit]);
      limit = nextLimit;
    }
    expect(sizes).toEqual([
      [4, true, 4],
      [4, true, 8],
      [4, true, 4],
      [1, false, 8],
    ]);
    expect(await countRuns()).toBe(13 * 18);
    expect(await tables.query(sql`select from probe_task where next_at < now()`)).toEqual([]);
  });

  test('that only have their next slot to be found are moved on, however many targets they have', async () => {
    const target = Array.from({ length: 10_000 }, (_, n) => ({
      type: 'domain',
      rtype: 'A',
      data: `host-${n}.zone.example`,
    }));
    // One statement for all of them may take longer than a connection may be held.
    for (let part = 0; part < 8; part += 1) await addTasks(5, target);
    await tables.query(sql`update probe_task set updated_at = now()`);
    expect(await turn()).toMatchObject({ slots: [], isFull: false });
    expect(await tables.query(sql`select from probe_task where next_at < now()`)).toEqual([]);
  });

  test('of large domain groups are planned a few at a time, unless they share them', async () => {
    await tables.addAgent('a');
    const groups = await tables.query(sql<{ id: number }>`
      insert into domain_group (name, domains)
      select 'g' || g, array_agg(sha512((g * 100000 + n)::text::bytea)::text)
      from generate_series(1, 4) g, generate_series(1, 3000) n group by g returning id`);
    for (const { id } of groups) {
      for (const rtype of ['A', 'MX']) {
        await tables.addTask({ ...yearly, target: [{ type: 'domain_group', rtype, domain_group_id: id }] });
      }
    }
    // Those that have yet to find their slot are taken in any order.
    await tables.query(
      sql`update probe_task set next_at = now() - interval '1 hour' + task_id * interval '1 ms'`,
    );
    const sizes: number[] = [];
    for (let round = 0; round < 3; round += 1) sizes.push((await turn()).slots.length);
    expect(sizes).toEqual([4, 4, 0]);
  });

  test('that are too large each are planned as such', async () => {
    await tables.addAgent('a');
    await addTasks(2, [{ type: 'domain', rtype: 'A', data: 'a.example' }]);
    const { slots } = await turn({ maxCells: 0 });
    expect(slots.map(({ skipped }) => skipped)).toEqual([
      [{ reason: 'PLAN_TOO_LARGE', count: 0, ids: [] }],
      [{ reason: 'PLAN_TOO_LARGE', count: 0, ids: [] }],
    ]);
    expect(await countRuns()).toBe(0);
  });
});
