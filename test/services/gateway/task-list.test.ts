// The list of tasks on real rows: what it says of them, and that it is never older than the call.
import type { KyselyPlugin } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { taskListReplySchema } from '../../../contracts/task.ts';
import { createDatabase, type Database } from '../../../infra/database/database.ts';
import { createLogger } from '../../../infra/logger.ts';
import { createTaskList } from '../../../services/gateway/task-list.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/postgres.ts';
import { execute } from './history-rows.ts';

const ampleOctets = 1024 * 1024;

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({
    url: testDatabase.url,
    maxConnections: 8,
    logger: createLogger('test', 'silent'),
  });
});

afterAll(async () => {
  await database.stop();
  await testDatabase.drop();
});

beforeEach(() => execute(testDatabase, 'delete from probe_task'));

/** A list as a gateway has it, whose replies are what the contract says they are. */
function openList(maxOctets = ampleOctets) {
  const list = createTaskList(database, () => maxOctets);
  return async () => taskListReplySchema.parse(JSON.parse((await list({})).encoded.toString()));
}

const columns =
  'type, service_type, cycle, probe_data, target, status, group_id, uid, gid, task_time, pinned';
const plain = `'dns', 'dnsMonitor', 60, '{"dns_servers": []}', '[]', 1, null, null, null, null, false`;

function addTasks(count: number): Promise<void> {
  return execute(
    testDatabase,
    `insert into probe_task (${columns}) select ${plain} from generate_series(1, ${count})`,
  );
}

describe('a task in the list', () => {
  const texts = [
    'plain',
    '',
    ' two  spaces, and: signs ',
    'quote " and backslash \\ and "\\": "',
    'tab\tline\nreturn\r bell\u0007 \u001f\u007f',
    '探测 – ключ – 🛰️ \u2028\u2029\ufeff',
    '{"type": "domain", "data": [1, 2]}',
    "'; drop table probe_task; --",
  ];

  test.each(texts)('has the text %j in every field as it was stored', async (text) => {
    const stored = {
      ...{ type: `t${text}`, service_type: `s${text}`, cycle: 0 },
      probe_data: { dns_servers: [text, text] },
      target: [
        { type: 'domain', rtype: text, data: text },
        { type: 'domain_group', rtype: 'A', domain_group_id: 7 },
      ],
      ...{ status: 1, group_id: 2_147_483_647, uid: text, gid: -7, task_time: [text, 1.5], pinned: true },
    };
    const json = JSON.stringify(stored).replaceAll("'", "''");
    await execute(
      testDatabase,
      `insert into probe_task (${columns})
       select type, service_type, cycle, probe_data, target, status, group_id, uid, gid, task_time, pinned
       from jsonb_populate_record(null::probe_task, '${json}')`,
    );
    const row = await database.run((db) =>
      db
        .selectFrom('probe_task')
        .select([
          ...(['task_id', 'type', 'service_type', 'cycle', 'probe_data', 'target'] as const),
          ...(['status', 'group_id', 'uid', 'gid', 'task_time', 'pinned'] as const),
        ])
        .executeTakeFirstOrThrow(),
    );
    const { encoded } = await createTaskList(database, () => ampleOctets)({});
    // Octet for octet what the row's fields give in the contract's order, without white space between them.
    expect(encoded.toString()).toBe(JSON.stringify([row]));
    expect(row).toEqual({ task_id: row.task_id, ...stored });
  });

  test('has nulls and empty lists where its row has them', async () => {
    await addTasks(1);
    expect(await openList()()).toEqual([
      {
        ...{ task_id: expect.stringMatching(/^\d+$/), type: 'dns', service_type: 'dnsMonitor', cycle: 60 },
        ...{ probe_data: { dns_servers: [] }, target: [], status: 1, group_id: null },
        ...{ uid: null, gid: null, task_time: null, pinned: false },
      },
    ]);
  });
});

describe('a list that was read before', () => {
  test('is given again octet for octet, also after the scheduler moved tasks on', async () => {
    await addTasks(100);
    const list = createTaskList(database, () => ampleOctets);
    const { encoded } = await list({});
    await execute(testDatabase, 'update probe_task set next_at = now(), last_at = now()');
    const again = await list({});
    expect(again.encoded).toBe(encoded);
    expect(again.nextCursor).toBeUndefined();
  });

  test.each([
    ['of as many octets', 'update probe_task set cycle = 61'],
    [
      'of two rows whose sizes even out',
      `update probe_task set uid = case uid when '"a"' then '"bb"'::jsonb else '"a"' end
       where task_id < (select max(task_id) from probe_task)`,
    ],
    [
      'that leaves updated_at alone',
      `update probe_task set target = '[{"type":"domain","rtype":"A","data":"y"}]'`,
    ],
    ['that removes a row', 'delete from probe_task where pinned'],
    ['that removes all', 'delete from probe_task'],
    ['that adds a row', `insert into probe_task (${columns}) values (${plain})`],
    [
      'that replaces all by others',
      `with gone as (delete from probe_task returning ${columns}) insert into probe_task (${columns}) select * from gone`,
    ],
  ])('is not given after a change %s', async (_, change) => {
    await addTasks(3);
    await execute(
      testDatabase,
      `update probe_task set pinned = true, uid = '"a"' where task_id = (select min(task_id) from probe_task)`,
      `update probe_task set uid = '"bb"' where not pinned`,
    );
    const read = openList();
    const before = await read();
    expect(await read()).toEqual(before);
    await execute(testDatabase, change);
    const after = await read();
    expect(after).not.toEqual(before);
    expect(after).toEqual(await openList()());
  });

  test('stays right where it is too large to be kept', async () => {
    await addTasks(10);
    const read = openList(100);
    const before = await read();
    expect(before).toHaveLength(10);
    await execute(testDatabase, 'update probe_task set cycle = 61');
    expect((await read()).map(({ cycle }) => cycle)).toEqual(Array(10).fill(61));
  });

  test('has every change that was committed before the call, whoever writes meanwhile', async () => {
    const writers = 3;
    await addTasks(writers);
    const ids = (await openList()()).map(({ task_id }) => task_id);
    const committed = new Map(ids.map((id) => [id, 60]));
    let areReading = true;

    async function writeOn(id: string): Promise<number> {
      let cycle = 60;
      while (areReading) {
        cycle += 1;
        await database.run((db) =>
          db.updateTable('probe_task').set({ cycle }).where('task_id', '=', id).execute(),
        );
        committed.set(id, cycle);
      }
      return cycle;
    }

    /** As two gateways do; each keeps a list of its own. */
    async function readOn(): Promise<void> {
      const read = openList();
      for (let call = 0; call < 150; call += 1) {
        const known = new Map(committed);
        for (const { task_id, cycle } of await read()) {
          expect(cycle).toBeGreaterThanOrEqual(known.get(task_id) ?? Number.NaN);
        }
      }
    }

    const writing = Promise.all(ids.map(writeOn));
    try {
      await Promise.all([readOn(), readOn()]);
    } finally {
      areReading = false;
    }
    const last = await writing;
    expect(Math.min(...last)).toBeGreaterThan(61);
    expect((await openList()()).map(({ cycle }) => cycle)).toEqual(last);
  });
});

test('a call never gives what another call read before a change, however late that comes', async () => {
  await addTasks(3);
  const arrivals = [1, 2, 3].map(() => Promise.withResolvers<void>());
  const releases = [1, 2, 3].map(() => Promise.withResolvers<void>());
  let resultCount = 0;
  /** Holds each result of the database, in the order in which they come. */
  const late: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      const index = resultCount;
      resultCount += 1;
      arrivals[index]?.resolve();
      await releases[index]?.promise;
      return result;
    },
  };
  const lateDatabase: Database = {
    ...database,
    run: (work) => database.run((db) => work(db.withPlugin(late))),
  };
  const list = createTaskList(lateDatabase, () => ampleOctets);
  const cyclesOf = async (page: Promise<{ encoded: Buffer }>) =>
    taskListReplySchema.parse(JSON.parse((await page).encoded.toString())).map(({ cycle }) => cycle);

  const early = list({});
  await arrivals[0]?.promise;
  await execute(testDatabase, 'update probe_task set cycle = 61');
  const later = list({});
  await arrivals[1]?.promise;
  releases[1]?.resolve();
  expect(await cyclesOf(later)).toEqual([61, 61, 61]);
  const compared = list({});
  await arrivals[2]?.promise;
  releases[0]?.resolve();
  expect(await cyclesOf(early)).toEqual([60, 60, 60]);
  releases[2]?.resolve();
  expect(await cyclesOf(compared)).toEqual([61, 61, 61]);
  expect(await cyclesOf(list({}))).toEqual([61, 61, 61]);
});

test('pages hold the tasks that the whole list has, in its order', async () => {
  await addTasks(7);
  const list = createTaskList(database, () => ampleOctets);
  const all = JSON.parse((await list({})).encoded.toString());
  const paged: unknown[] = [];
  let cursor: string | undefined;
  do {
    const { encoded, nextCursor } = await list({ limit: 3, cursor });
    paged.push(...JSON.parse(encoded.toString()));
    cursor = nextCursor;
  } while (cursor !== undefined);
  expect(paged).toEqual(all);
  expect((await list({ changed_since: 253_402_300_799 })).encoded.toString()).toBe('[]');
  // The pages did not take the place of the whole list.
  expect(JSON.parse((await list({})).encoded.toString())).toEqual(all);
});
