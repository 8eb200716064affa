// Turns of the scheduler on a real Postgres: a slot is planned whole, once, or not at all.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { phaseOf, slotAfter, slotUntil } from '../../../infra/schedule/slot-grid.ts';
import { jitterOf } from '../../../services/scheduler/jitter.ts';
import { lockDueTasks } from '../../../services/scheduler/schedule-store.ts';
import type { TaskRow } from '../../helpers/recurring-tables.ts';
import { useTurns, yearly, yearMs } from './use-turns.ts';

const { tables, turn, readSlots, countRuns } = useTurns();

type StoredTask = { task_id: string; next_at: Date | number; last_at: Date | null };

async function readTask(id: string): Promise<StoredTask | undefined> {
  const [row] = await tables.query(
    sql<StoredTask>`select task_id, next_at, last_at from probe_task where task_id = ${id}`,
  );
  return row;
}

/** Milliseconds since the epoch, by the database's clock. */
async function readNow(): Promise<number> {
  const [row] = await tables.query(sql<{ now: Date }>`select now()`);
  return row?.now.getTime() ?? Number.NaN;
}

describe('a due task', () => {
  test('has its runs, its slot and its next time stored together', async () => {
    await tables.addAgent('a', { groups: [5] });
    await tables.addAgent('b', { place: ['86', '9', '9', 'x'], resolvers: [] });
    await tables.query(sql`insert into probe_group_detail values (5, '86', '9', '*', '*')`);
    await tables.query(sql`insert into local_dns values ('86', '9', '*', '*', '{192.0.2.53}')`);
    const [group] = await tables.query(
      sql<{
        id: number;
      }>`insert into domain_group (name, domains) values ('g', '{b.example,c.example}') returning id`,
    );
    const cycleMs = 60_000;
    const id = await tables.addTask({
      group_id: 5,
      probe_data: { dns_servers: [] },
      target: [
        { type: 'domain', rtype: 'A', data: 'a.example' },
        { type: 'domain_group', rtype: 'MX', domain_group_id: group?.id },
        { type: 'domain_group', rtype: 'MX', domain_group_id: 2_000_000_000 },
      ],
    });
    const [stored] = await tables.query(sql<{ updated_at: Date }>`select updated_at from probe_task`);
    const { slots, nowMs, isFull } = await turn();

    const slotMs = slotUntil(phaseOf(id, cycleMs), cycleMs, nowMs);
    const scheduledAt = new Date(slotMs);
    const first = slotAfter(phaseOf(id, cycleMs), cycleMs, stored?.updated_at.getTime() ?? 0);
    const missed = (slotMs - first) / cycleMs;
    expect(missed).toBeGreaterThan(57);
    expect(slots).toMatchObject([{ taskId: id, scheduledAt: slotMs, missed }]);
    expect(isFull).toBe(false);
    expect(await readTask(id)).toEqual({
      task_id: id,
      next_at: new Date(slotMs + cycleMs),
      last_at: scheduledAt,
    });
    expect(await readSlots()).toEqual([
      {
        task_id: id,
        scheduled_at: scheduledAt,
        planned_at: expect.any(Date),
        expires_at: new Date(Math.max(slotMs + cycleMs, nowMs + 30_000)),
        agents: 2,
        runs: 2,
        cells: 6,
        missed,
        skipped: [{ reason: 'NO_DOMAIN_GROUP', count: 1, ids: ['2000000000'] }],
      },
    ]);
    const runs = await tables.query(sql`select * from probe_run order by agent_id`);
    const targets = [
      { domain: 'a.example', rtype: 'A' },
      { domain: 'b.example', rtype: 'MX' },
      { domain: 'c.example', rtype: 'MX' },
    ];
    const ready = { state: 0, attempt: 0, lapses: 0, lease_until: null, claimed_by: null };
    expect(runs).toMatchObject(
      [
        { agent: 'a', servers: ['192.0.2.1'] },
        { agent: 'b', servers: ['192.0.2.53'] },
      ].map(({ agent, servers }) => ({
        ...ready,
        task_id: id,
        scheduled_at: scheduledAt,
        agent_id: agent,
        chunk: 0,
        payload: { servers, targets, first_cell: 0, stride: 3 },
        due_at: new Date(slotMs + jitterOf(id, agent, cycleMs)),
        expires_at: new Date(Math.max(slotMs + cycleMs, nowMs + 30_000)),
      })),
    );
    expect((await turn()).slots).toEqual([]);
  });

  test('whose slot cannot be stored has nothing stored, is put off, and keeps no other from its slot', async () => {
    await tables.addAgent('a');
    const sound: string[] = [];
    for (let index = 0; index < 4; index += 1) sound.push(await tables.addTask(yearly));
    const id = await tables.addTask(yearly);
    for (let index = 0; index < 4; index += 1) sound.push(await tables.addTask(yearly));
    const scheduledAt = new Date(slotUntil(phaseOf(id, yearMs), yearMs, await readNow()));
    await tables.query(sql`
      insert into probe_slot (scheduled_at, task_id, expires_at, agents, runs, cells, missed, skipped)
      values (${scheduledAt}, ${id}, now(), 0, 0, 0, 0, '[]')`);
    const { slots, isFull } = await turn();
    expect(slots.map(({ taskId }) => taskId).toSorted()).toEqual(sound.toSorted());
    expect(isFull).toBe(true);
    expect(await countRuns()).toBe(8);
    expect(await readSlots()).toHaveLength(9);
    const { next_at: nextAt, last_at: lastAt } = (await readTask(id)) ?? {};
    expect(Number(nextAt) - (await readNow())).toBeGreaterThan(50_000);
    expect(lastAt).toBeNull();
    expect(tables.logged).toMatchObject([
      { level: 50, task: id, msg: 'a task cannot be scheduled', err: { code: '23505' } },
    ]);

    // The time to which it was put off is no slot of its own.
    await tables.query(sql`delete from probe_slot where task_id = ${id}`);
    await tables.query(sql`update probe_task set next_at = now() where task_id = ${id}`);
    expect((await turn()).slots).toMatchObject([{ taskId: id, scheduledAt: scheduledAt.getTime() }]);
  });

  test('is planned without runs where no agent matches, and says so', async () => {
    const id = await tables.addTask({ ...yearly, group_id: 77 });
    expect((await turn()).slots).toMatchObject([{ taskId: id, runs: [], cellCount: 0 }]);
    expect(await readSlots()).toMatchObject([{ skipped: [{ reason: 'NO_AGENTS', count: 0, ids: [] }] }]);
  });

  test('that runs once is done with', async () => {
    await tables.addAgent('a');
    const id = await tables.addTask({ cycle: 0, updatedIn: -5 });
    await turn();
    expect(await readTask(id)).toMatchObject({ next_at: Infinity, last_at: expect.any(Date) });
    await turn();
    expect(await readSlots()).toHaveLength(1);
  });
});

describe('while agents come back after a standstill,', () => {
  test('a task that runs once and finds none of them is put off until their time is over', async () => {
    await tables.addAgent('a', { heardIn: -70_000 });
    const id = await tables.addTask({ cycle: 0, updatedIn: -5000 });
    expect((await turn({ returnMs: 9000 })).slots).toEqual([]);
    const { next_at: nextAt, last_at: lastAt } = (await readTask(id)) ?? {};
    const inMs = Number(nextAt) - (await readNow());
    expect(inMs).toBeGreaterThan(7000);
    expect(inMs).toBeLessThanOrEqual(9000);
    expect(lastAt).toBeNull();

    await tables.query(sql`update agent_session set heartbeat_at = now()`);
    await tables.query(sql`update probe_task set next_at = now()`);
    expect((await turn()).slots).toMatchObject([{ taskId: id, cellCount: 1, skipped: [] }]);
  });

  test('a task that runs once and matches no agent is put off as well, and planned without runs in the end', async () => {
    const id = await tables.addTask({ cycle: 0, updatedIn: -5000, group_id: 77 });
    expect((await turn({ returnMs: 9000 })).slots).toEqual([]);
    await tables.query(sql`update probe_task set next_at = now()`);
    expect((await turn()).slots).toMatchObject([{ taskId: id, skipped: [{ reason: 'NO_AGENTS' }] }]);
  });

  test('a task that runs once is not put off beyond its window', async () => {
    const nowS = Math.floor((await readNow()) / 1000);
    await tables.addTask({ cycle: 0, updatedIn: -5000, task_time: [nowS - 3600, nowS + 5] });
    expect((await turn({ returnMs: 9000 })).slots).toMatchObject([{ skipped: [{ reason: 'NO_AGENTS' }] }]);
  });

  test('a task that runs once and has an agent is planned at once, and so is any other task', async () => {
    await tables.addTask({ ...yearly, group_id: 77 });
    await tables.addAgent('a');
    await tables.addAgent('b', { heardIn: -70_000 });
    await tables.addTask({ cycle: 0, updatedIn: -5000 });
    expect((await turn({ returnMs: 9000 })).slots).toHaveLength(2);
  });
});

describe('left alone are', () => {
  test('tasks that are paused, of other types, or due later', async () => {
    await tables.addAgent('a');
    await tables.addTask({ ...yearly, status: 0 });
    await tables.addTask({ ...yearly, type: 'http' });
    const later = await tables.addTask(yearly);
    await tables.query(
      sql`update probe_task set next_at = now() + interval '1 min' where task_id = ${later}`,
    );
    const before = await tables.query(sql`select * from probe_task order by task_id`);
    expect((await turn()).slots).toEqual([]);
    expect(await tables.query(sql`select * from probe_task order by task_id`)).toEqual(before);
  });

  test('tasks that another scheduler has locked', async () => {
    const id = await tables.addTask(yearly);
    const other = await tables.addTask(yearly);
    await tables.database.transact(async (db) => {
      await sql`select from probe_task where task_id = ${id} for update`.execute(db);
      expect((await turn()).slots).toMatchObject([{ taskId: other }]);
    });
    expect((await turn()).slots).toMatchObject([{ taskId: id }]);
  });
});

test('no statement of a turn goes on for long when its connection is gone', async () => {
  const limits = await tables.database.transact(async (db) => {
    await lockDueTasks(db, 1);
    const { rows } = await sql`
      select current_setting('statement_timeout') as statement,
        current_setting('idle_in_transaction_session_timeout') as idle`.execute(db);
    return rows;
  });
  expect(limits).toEqual([{ statement: '30s', idle: '15s' }]);
});

test('a task that waits for its window is moved on to it', async () => {
  const id = await tables.addTask({ task_time: ['2090-01-01', '2090-12-31'] });
  expect((await turn()).slots).toEqual([]);
  const { next_at: nextAt, last_at: lastAt } = (await readTask(id)) ?? {};
  expect(nextAt).toEqual(
    new Date(slotAfter(phaseOf(id, 60_000), 60_000, Date.parse('2089-12-31T16:00Z') - 1)),
  );
  expect(lastAt).toBeNull();
});

test.each<[string, TaskRow]>([
  ['no list of targets', { target: { type: 'domain' } }],
  ['a target of no known type', { target: [{ type: 'host', data: 'a.example' }] }],
  ['no targets', { target: null }],
  ['no probe data', { probe_data: null }],
  ['servers that are a text', { probe_data: { dns_servers: '1.1.1.1' } }],
  ['a window that is a text', { task_time: 'always' }],
  ['a window of other texts', { task_time: ['morning', 'evening'] }],
  ['a window with one end', { task_time: ['09:00'] }],
])('a task with %s is put off, told in the log, and keeps no other from its slot', async (_name, row) => {
  await tables.addAgent('a');
  const broken = await tables.addTask({ ...yearly, ...row });
  const sound = await tables.addTask(yearly);
  expect((await turn()).slots).toMatchObject([{ taskId: sound }]);
  const { next_at: nextAt } = (await readTask(broken)) ?? {};
  expect(Number(nextAt) - (await readNow())).toBeGreaterThan(50_000);
  expect(tables.logged).toMatchObject([{ level: 50, task: broken, msg: 'a task cannot be scheduled' }]);
});

test.each(['last_at', 'updated_at'])('a task with an infinite %s is put off as well', async (column) => {
  await tables.addAgent('a');
  const broken = await tables.addTask(yearly);
  const sound = await tables.addTask(yearly);
  await tables.query(sql`update probe_task set ${sql.ref(column)} = 'infinity' where task_id = ${broken}`);
  expect((await turn()).slots).toMatchObject([{ taskId: sound }]);
  const { next_at: nextAt } = (await readTask(broken)) ?? {};
  expect(Number(nextAt) - (await readNow())).toBeGreaterThan(50_000);
  expect(tables.logged).toMatchObject([{ level: 50, task: broken, msg: 'a task cannot be scheduled' }]);
});

test.each<[string, TaskRow]>([
  [
    'a domain group beyond all ids',
    { target: [{ type: 'domain_group', rtype: 'A', domain_group_id: 2 ** 40 }] },
  ],
  ['a window in the year 11476', { task_time: [300_000_000_000, 400_000_000_000] }],
  ['a window after all time', { task_time: [Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER] }],
  ['a window that ended before it began', { task_time: ['2026-09-20', '2026-09-01'] }],
])('a task with %s keeps no other from its slot', async (_name, row) => {
  await tables.addAgent('a');
  await tables.addTask({ ...yearly, ...row });
  const sound = await tables.addTask(yearly);
  const { slots } = await turn();
  expect(slots.filter(({ runs }) => runs.length > 0)).toMatchObject([{ taskId: sound }]);
  expect((await turn()).slots).toEqual([]);
});

describe('agents', () => {
  test('that were not heard of lately are left out, and named', async () => {
    await tables.addAgent('a', { heardIn: -50_000 });
    await tables.addAgent('b', { heardIn: -70_000 });
    await tables.addTask(yearly);
    expect((await turn()).slots).toMatchObject([
      { agentCount: 1, runs: [{ agentId: 'a' }], skipped: [{ reason: 'AGENT_AWAY', count: 1, ids: ['b'] }] },
    ]);
    await tables.addTask(yearly);
    expect((await turn({ aliveMs: 80_000 })).slots).toMatchObject([{ agentCount: 2, skipped: [] }]);
  });

  test('of two processes are alive while one of them is', async () => {
    await tables.addAgent('a', { heardIn: -70_000 });
    await tables.query(sql`insert into agent_session (session_id, agent_id) values (gen_random_uuid(), 'a')`);
    await tables.addTask(yearly);
    expect((await turn()).slots).toMatchObject([{ agentCount: 1, skipped: [] }]);
  });

  test('that still have runs of an earlier slot of the task get none, and are named', async () => {
    for (const id of ['ready', 'leased', 'lapsed', 'late', 'other']) await tables.addAgent(id);
    const id = await tables.addTask(yearly);
    await tables.addRun({ task_id: id, agent_id: 'ready' });
    await tables.addRun({ task_id: id, agent_id: 'leased', leasedFor: 1000, expiresIn: -1000 });
    await tables.addRun({ task_id: id, agent_id: 'lapsed', leasedFor: -1000, expiresIn: -1000 });
    // What is too late waits only to be buried.
    await tables.addRun({ task_id: id, agent_id: 'late', expiresIn: -1 });
    await tables.addRun({ task_id: '999999', agent_id: 'other' });
    const { slots } = await turn();
    expect(slots[0]?.runs.map(({ agentId }) => agentId)).toEqual(['late', 'other']);
    expect(await readSlots()).toMatchObject([
      { agents: 2, skipped: [{ reason: 'OVERLAP', count: 3, ids: ['lapsed', 'leased', 'ready'] }] },
    ]);
  });
});
