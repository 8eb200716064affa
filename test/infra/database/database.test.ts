// The line between a database that is away, one that is slow, a pool that is used up and a schema that is old.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { sql } from 'kysely';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDatabase, type Database } from '../../../infra/database/database.ts';
import { startOwnPostgres } from '../../helpers/own-postgres.ts';
import { createTestDatabase } from '../../helpers/postgres.ts';

type Logged = { level: number; msg: string };

/** Ends with the present test, before the server that `url` is of. */
function open(url: string, options: Partial<Parameters<typeof createDatabase>[0]> = {}) {
  const logged: Logged[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const database = createDatabase({ url, maxConnections: 2, logger, ...options });
  onTestFinished(() => database.stop());
  /** `level message` of what was logged with such a text. */
  const told = (text: RegExp) =>
    logged.filter(({ msg }) => text.test(msg)).map(({ level, msg }) => `${pino.levels.labels[level]} ${msg}`);
  return { database, told };
}

async function openFresh(options: Partial<Parameters<typeof createDatabase>[0]> = {}) {
  const testDatabase = await createTestDatabase();
  onTestFinished(testDatabase.drop);
  return open(testDatabase.url, options);
}

function ask(database: Database, statement = 'select 1'): Promise<unknown> {
  return database.run((db) => sql.raw(statement).execute(db));
}

const away = { name: 'ProbeTaskError', code: 'UNAVAILABLE', message: 'the database is away' };

describe('a database that goes away', () => {
  test('is told when it goes and when it is back, and not to every caller meanwhile', async () => {
    const server = await startOwnPostgres();
    const { database, told } = open(server.url);
    await ask(database);
    for (let outage = 0; outage < 2; outage += 1) {
      await server.stopImmediately();
      for (let call = 0; call < 3; call += 1) await expect(ask(database)).rejects.toMatchObject(away);
      await server.restart();
      for (let call = 0; call < 3; call += 1) await ask(database);
    }
    const outage = [
      'warn the database is away',
      'debug the database is away',
      'debug the database is away',
      'info the database is back',
    ];
    expect(told(/^the database is/)).toEqual([...outage, ...outage]);
  });

  test('and takes no writes after a failover is away for those who write', async () => {
    const { database } = await openFresh();
    const writing = database.transact(async (db) => {
      await sql`set transaction read only`.execute(db);
      await sql`delete from probe_run`.execute(db);
    });
    await expect(writing).rejects.toMatchObject(away);
    await expect(ask(database, 'delete from probe_run')).resolves.toBeDefined();
  });

  test('and accepts connections without a word is away also for those that wait for one', async () => {
    const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { database } = open(`postgres://nobody@127.0.0.1:${port}/none`, {
      maxConnections: 1,
      connectTimeoutMs: 300,
    });
    const calls = await Promise.allSettled([ask(database), ask(database), ask(database)]);
    expect(calls).toMatchObject(Array(3).fill({ reason: away }));
  });
});

describe('a pool whose connections are all in use', () => {
  test('is OVERLOADED for those that get none in time, and the database is not said to be away', async () => {
    const { database, told } = await openFresh({ connectTimeoutMs: 200 });
    const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
    const holders = [1, 2].map(() =>
      database.transact(async (db) => {
        await sql`select 1`.execute(db);
        await isOver;
      }),
    );
    await expect(ask(database)).rejects.toMatchObject({ name: 'ProbeTaskError', code: 'OVERLOADED' });
    end();
    await Promise.all(holders);
    await ask(database);
    expect(told(/./).filter((line) => !line.startsWith('debug'))).toEqual([]);
  });
});

describe('a statement that takes too long', () => {
  test('is UNAVAILABLE, and the database is not said to be away', async () => {
    const { database, told } = await openFresh();
    const slow = database.transact(async (db) => {
      await sql`set local statement_timeout = 50`.execute(db);
      await sql`select pg_sleep(30)`.execute(db);
    });
    await expect(slow).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'the database took too long' });
    await ask(database);
    expect(told(/./)).toEqual(['warn a statement took too long']);
  });
});

describe('a schema that is missing or old', () => {
  test('is told once for what it lacks', async () => {
    const { database, told } = await openFresh();
    const unmigrated = { code: 'UNAVAILABLE', message: 'the database has not been migrated' };
    for (let call = 0; call < 3; call += 1) {
      await expect(ask(database, 'select 1 from no_table')).rejects.toMatchObject(unmigrated);
      await ask(database);
    }
    await expect(ask(database, 'select no_column from probe_task')).rejects.toMatchObject(unmigrated);
    const text = 'the schema is missing or older than this service: npm run migrate';
    expect(told(/./)).toEqual([`error ${text}`, `debug ${text}`, `debug ${text}`, `error ${text}`]);
  });

  test('is no reason to hide a fault in a statement', async () => {
    const { database } = await openFresh();
    await expect(ask(database, 'selec 1')).rejects.toMatchObject({ code: '42601' });
  });
});
