// What an agent reads and writes, on a real Postgres.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import { reap } from '../../../../infra/database/lease-table.ts';
import type { AgentIdentity } from '../../../../services/agent/announce.ts';
import { type CellResult, formatResult } from '../../../../services/agent/recurring/cell-result.ts';
import { createRunStore, leaseMs, type RunStore } from '../../../../services/agent/recurring/run-store.ts';
import { slotAt, useRecurringTables } from '../../../helpers/recurring-tables.ts';

const tables = useRecurringTables();
const place = { country: '86', province: '440000', city: '440400', carrier: '电信 "x"\\' };
const record: Omit<AgentIdentity, 'session'> = {
  agent_id: 'a',
  ...place,
  groups: [1, 5],
  resolvers: ['192.0.2.53', '[2001:db8::1]:53'],
  version: '1.2.3',
};

let session: string;
let store: RunStore;

beforeEach(() => {
  session = randomUUID();
  store = createRunStore(tables.database, { ...record, session });
});

function result(cell: number, fields: Partial<CellResult> = {}): CellResult {
  return {
    cell,
    domain: 'a.example',
    rtype: 'A',
    dns_server: '1.1.1.1',
    status: 'NOERROR',
    delay_ms: 12.345,
    lag_ms: null,
    transport: 'udp',
    truncated: false,
    tries: 1,
    flags: ['rd', 'ra'],
    answer: [],
    authority: [],
    additional: [],
    ...fields,
  };
}

const resultsOf = (...results: CellResult[]) => `[${results.map(formatResult).join(',')}]`;

function readResults(): Promise<Record<string, unknown>[]> {
  return tables.query(sql<Record<string, unknown>>`select * from probe_result order by cell`);
}

/** The claims of all runs that are due. */
async function claimAll() {
  const { runs } = await store.claim(100);
  return runs.map((run) => run.claim);
}

describe('register', () => {
  const readAgents = () => tables.query(sql<Record<string, unknown>>`select * from agent`);
  const readSessions = () => tables.query(sql<Record<string, unknown>>`select * from agent_session`);

  test('writes down who the agent is, and its process', async () => {
    await store.register();
    expect(await readAgents()).toEqual([{ ...record, registered_at: expect.any(Date) }]);
    expect(await readSessions()).toMatchObject([{ session_id: session, agent_id: 'a' }]);
  });

  test('twice changes nothing but the times', async () => {
    await store.register();
    await tables.query(sql`update agent_session set heartbeat_at = now() - interval '1 hour'`);
    await store.register();
    expect(await readAgents()).toHaveLength(1);
    const [row, ...others] = await readSessions();
    expect(others).toEqual([]);
    expect(row?.heartbeat_at).toEqual(expect.any(Date));
    expect(
      await tables.query(sql`select from agent_session where heartbeat_at < now() - interval '1 min'`),
    ).toEqual([]);
  });

  test('writes over what an earlier process said, and leaves its session', async () => {
    await store.register();
    const moved = { ...record, city: '440100', groups: [], resolvers: [], version: '2' };
    const next = randomUUID();
    await createRunStore(tables.database, { ...moved, session: next }).register();
    expect(await readAgents()).toEqual([{ ...moved, registered_at: expect.any(Date) }]);
    expect((await readSessions()).map(({ session_id: id }) => id).toSorted()).toEqual(
      [session, next].toSorted(),
    );
  });
});

test('beat tells whether the session is still there', async () => {
  expect(await store.beat()).toBe(false);
  await store.register();
  await tables.query(sql`update agent_session set heartbeat_at = now() - interval '1 hour'`);
  expect(await store.beat()).toBe(true);
  expect(
    await tables.query(sql`select from agent_session where heartbeat_at > now() - interval '1 min'`),
  ).toHaveLength(1);
  await tables.query(sql`delete from agent`);
  expect(await store.beat()).toBe(false);
});

describe('claim', () => {
  test('takes this agent’s runs with what they are about', async () => {
    const payload = {
      servers: ['1.1.1.1'],
      targets: [{ domain: 'a.example', rtype: 'A' }],
      first_cell: 7,
      stride: 9,
    };
    const id = await tables.addRun({ task_id: '7', payload, dueIn: -2000, expiresIn: 50_000 });
    await tables.addRun({ agent_id: 'b' });
    const { runs, nextDueMs } = await store.claim(10);
    expect(runs).toEqual([
      {
        claim: { id, attempt: 1 },
        taskId: '7',
        payload,
        lagMs: expect.any(Number),
        expiresInMs: expect.any(Number),
      },
    ]);
    expect(runs[0]?.lagMs).toBeGreaterThanOrEqual(2000);
    expect(runs[0]?.lagMs).toBeLessThan(10_000);
    expect(runs[0]?.expiresInMs).toBeGreaterThan(40_000);
    expect(runs[0]?.expiresInMs).toBeLessThanOrEqual(50_000);
    expect(nextDueMs).toBeUndefined();
    expect(await tables.query(sql`select claimed_by, state from probe_run where id = ${id}`)).toEqual([
      { claimed_by: session, state: 1 },
    ]);
  });

  test('tells when the next run of this agent will be due, whether there is one now or not', async () => {
    await tables.addRun({ dueIn: 40_000 });
    await tables.addRun({ dueIn: 20_000 });
    await tables.addRun({ agent_id: 'b', dueIn: 1000 });
    const idle = await store.claim(10);
    expect(idle.runs).toEqual([]);
    expect(idle.nextDueMs).toBeGreaterThan(10_000);
    expect(idle.nextDueMs).toBeLessThanOrEqual(20_000);
    await tables.addRun();
    const busy = await store.claim(10);
    expect(busy.runs).toHaveLength(1);
    expect(busy.nextDueMs).toBeLessThanOrEqual(idle.nextDueMs ?? 0);
  });

  test('leaves out the runs of some tasks, also where it tells of the next one', async () => {
    await tables.addRun({ task_id: '7', dueIn: -3000 });
    const other = await tables.addRun({ task_id: '8' });
    await tables.addRun({ task_id: '9' });
    await tables.addRun({ task_id: '9', dueIn: 20_000 });
    await tables.addRun({ task_id: '8', dueIn: 60_000 });
    const { runs, nextDueMs } = await store.claim(10, ['7', '9', '9223372036854775807']);
    expect(runs.map(({ claim }) => claim.id)).toEqual([other]);
    expect(nextDueMs).toBeGreaterThan(40_000);
    const rest = await store.claim(10);
    expect(rest.runs.map(({ taskId }) => taskId)).toEqual(['7', '9']);
    expect(rest.nextDueMs).toBeLessThanOrEqual(20_000);
  });

  test('passes on a run whose payload it does not understand as such', async () => {
    const id = await tables.addRun({ payload: { servers: ['no server'] } });
    expect((await store.claim(10)).runs).toMatchObject([{ claim: { id, attempt: 1 }, payload: undefined }]);
  });
});

test('renew and release do to the lease what they say', async () => {
  await tables.addRun();
  const claims = await claimAll();
  await tables.query(sql`update probe_run set lease_until = now()`);
  await store.renew(claims);
  const [left] = await tables.query(
    sql<{ ms: number }>`select (extract(epoch from lease_until - now()) * 1000)::float8 as ms from probe_run`,
  );
  expect(left?.ms).toBeGreaterThan(leaseMs - 5000);
  await store.release(claims);
  expect(await tables.query(sql`select state, lapses from probe_run`)).toEqual([{ state: 0, lapses: 0 }]);
});

describe('finish', () => {
  test('deletes the runs and stores their results as they are', async () => {
    await tables.addRun({ task_id: '7' });
    await tables.addRun({ task_id: '8' });
    const claims = await claimAll();
    const soa = { name: 'a.example.', ttl: 60, rdclass: 'IN', rdtype: 'SOA', result: 'ns. host. 1 2 3 4 5' };
    const unusual = result(1, {
      domain: '例え.テスト"\\',
      status: 'TIMEOUT',
      delay_ms: null,
      lag_ms: 3.5,
      transport: null,
      truncated: true,
      tries: 0,
      flags: ['a "b"', 'c\\{d,e}', ''],
      answer: [
        {
          ...soa,
          name: '\\000é\\".',
          rdtype: 'TXT',
          result: '"C:\\\\x" "it\'s \\"quoted\\"" "汉字 😀" {a,b}',
        },
      ],
      authority: [soa],
      additional: [soa],
    });
    const [one, other] = claims;
    if (one === undefined || other === undefined) throw new Error('two runs were claimed');
    expect(
      await store.finish([
        { claim: one, results: resultsOf(result(0), unusual) },
        { claim: other, results: resultsOf(result(2)) },
      ]),
    ).toEqual({ runs: 2, results: 3 });
    expect(await tables.query(sql`select from probe_run`)).toEqual([]);
    const rows = await readResults();
    const shared = { scheduled_at: slotAt, agent_id: 'a', device: place, finished_at: expect.any(Date) };
    expect(rows.slice(0, 2).map(({ task_id: _, ...row }) => row)).toEqual([
      { ...result(0), ...shared },
      { ...unusual, ...shared },
    ]);
    expect(rows.map(({ task_id: id }) => id).toSorted()).toEqual(['7', '7', '8']);
  });

  test('twice is done once', async () => {
    await tables.addRun();
    const runs = (await claimAll()).map((each) => ({ claim: each, results: resultsOf(result(0)) }));
    expect(await store.finish(runs)).toEqual({ runs: 1, results: 1 });
    const before = await readResults();
    expect(await store.finish(runs)).toEqual({ runs: 0, results: 0 });
    expect(await readResults()).toEqual(before);
  });

  test('stores nothing of a run that was claimed again, and all of the others', async () => {
    const lost = await tables.addRun({ task_id: '7' });
    await tables.addRun({ task_id: '8' });
    const claims = await claimAll();
    await tables.query(sql`update probe_run set lease_until = now() - interval '1 s' where id = ${lost}`);
    await tables.query(reap('probe_run', 10));
    const successor = createRunStore(tables.database, { ...record, session: randomUUID() });
    expect((await successor.claim(10)).runs).toMatchObject([{ claim: { id: lost, attempt: 2 } }]);

    const runs = claims.map((each) => ({ claim: each, results: resultsOf(result(0)) }));
    expect(await store.finish(runs)).toEqual({ runs: 1, results: 1 });
    expect(await readResults()).toMatchObject([{ task_id: '8' }]);
    const late = [{ claim: { id: lost, attempt: 2 }, results: resultsOf(result(0)) }];
    expect(await successor.finish(late)).toEqual({ runs: 1, results: 1 });
  });

  test('stores no result over one that is there', async () => {
    await tables.addRun({ task_id: '7' });
    const [first] = await claimAll();
    await tables.addRun({ task_id: '7' });
    const [second] = await claimAll();
    if (first === undefined || second === undefined) throw new Error('two runs were claimed');
    await store.finish([{ claim: first, results: resultsOf(result(0)) }]);
    const again = { claim: second, results: resultsOf(result(0, { status: 'TIMEOUT' }), result(1)) };
    expect(await store.finish([again])).toEqual({ runs: 1, results: 1 });
    expect(await readResults()).toMatchObject([
      { cell: 0, status: 'NOERROR' },
      { cell: 1, status: 'NOERROR' },
    ]);
  });

  test('stores the results of the other runs where one is there already', async () => {
    await tables.addRun({ task_id: '7', chunk: 0 });
    const [first] = await claimAll();
    await tables.addRun({ task_id: '7', chunk: 1 });
    await tables.addRun({ task_id: '8' });
    const later = await claimAll();
    if (first === undefined) throw new Error('a run was claimed');
    await store.finish([{ claim: first, results: resultsOf(result(0)) }]);
    const runs = later.map((each) => ({ claim: each, results: resultsOf(result(0), result(1)) }));
    expect(await store.finish(runs)).toEqual({ runs: 2, results: 3 });
    expect(await readResults()).toHaveLength(4);
    expect(await tables.query(sql`select from probe_run`)).toEqual([]);
  });

  test('deletes no run whose results cannot be stored', async () => {
    await tables.addRun();
    const [held] = await claimAll();
    if (held === undefined) throw new Error('a run was claimed');
    const broken = resultsOf(result(0, { tries: 100_000 }));
    await expect(store.finish([{ claim: held, results: broken }])).rejects.toMatchObject({ code: '22003' });
    expect(await tables.query(sql`select state from probe_run`)).toEqual([{ state: 1 }]);
    expect(await readResults()).toEqual([]);
  });
});
