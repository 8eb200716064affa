import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { identifyProcess } from '../../../infra/local-stack/process-identity.ts';
import { readStackFile } from '../../../infra/local-stack/stack-file.ts';
import { waitUntil } from '../../../infra/local-stack/wait-until.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/postgres.ts';
import { spawnProgram } from '../../helpers/processes.ts';
import { countVisits, createStandInFolder, listAlive, type StandInFolder } from './stand-in-run.ts';

let folder: StandInFolder;
/** For tests that are not about the stack's own servers. */
let database: TestDatabase;
let givenServers: { NATS_URL: string; DATABASE_URL: string };

beforeAll(async () => {
  database = await createTestDatabase();
  givenServers = { NATS_URL: inject('natsUrl'), DATABASE_URL: database.url };
});

afterAll(() => database.drop());

beforeEach(async () => {
  folder = await createStandInFolder();
});

afterEach(() => folder.remove());

describe('start and stop', () => {
  test('prints every address, then `ready`; Ctrl-C ends all of it with exit code 0', async () => {
    const run = await folder.startReady();
    const output = run.output();
    const addresses = await folder.readAddresses();
    for (const part of [
      addresses.natsUrl,
      addresses.exampleZone,
      ...addresses.services.map((s) => s.metricsUrl),
    ]) {
      expect(output).toContain(part);
    }
    expect(output.trimEnd().split('\n').at(-1)).toBe('ready');
    const { password } = new URL(addresses.databaseUrl);
    expect(password).toHaveLength(48);
    expect(output).not.toContain(password);
    expect((await stat(join(folder.path, 'stack.json'))).mode & 0o777).toBe(0o600);
    const pids = await folder.readPids();
    expect(Object.keys(pids).sort()).toEqual(['first', 'nats-server', 'postgres', 'second']);

    run.signal('SIGINT', { toGroup: true });
    // npm passes the terminal's signal on a second time.
    run.signal('SIGINT');
    expect(await run.exited).toEqual({ exitCode: 0, signal: null });
    expect(await listAlive(pids)).toEqual([]);
    expect(await readStackFile(folder.path)).toBeNull();
    // Not by the terminal's SIGINT: the services have their turn.
    expect(await readFile(join(folder.path, 'log', 'first.log'), 'utf8')).toMatch(/\nfirst ends: SIGTERM\n$/);
  });

  test('SIGTERM in the middle of a start leaves nothing behind', async () => {
    const run = folder.start();
    await run.waitForLine(/^nats /);
    const pids = await folder.readPids();
    expect(pids).toHaveProperty('postgres');
    run.signal('SIGTERM');
    expect(await run.exited).toEqual({ exitCode: 0, signal: null });
    expect(await listAlive(pids)).toEqual([]);
    expect(await folder.readPids()).toEqual({});
    expect(run.output()).not.toMatch(/^ready$/m);
  });

  test('a second Ctrl-C ends what would not end, with exit code 1', async () => {
    const run = await folder.startReady({ STAND_IN_STUBBORN: 'yes' });
    const pids = await folder.readPids();
    run.signal('SIGINT');
    await run.waitForLine(/^stopping/);
    expect(await listAlive(pids)).toEqual(
      expect.arrayContaining(['first', 'second', 'nats-server', 'postgres']),
    );
    run.signal('SIGINT');
    expect(await run.exited).toEqual({ exitCode: 1, signal: null });
    expect(run.output()).toMatch(/^forcing/m);
    expect(await listAlive(pids)).toEqual([]);
    await folder.startReady();
    expect(await countVisits((await folder.readAddresses()).databaseUrl)).toBe(2);
  });

  test('a second start keeps the data', async () => {
    const first = await folder.startReady();
    first.signal('SIGTERM');
    await first.exited;
    await folder.startReady();
    expect(await countVisits((await folder.readAddresses()).databaseUrl)).toBe(2);
  });

  test('a killed npm takes the stack with it', async () => {
    const script = join(import.meta.dirname, 'stand-in-stack.ts');
    // Stands for npm: a parent between the terminal and the stack that passes no signal on.
    const parent = spawnProgram('/bin/sh', ['-c', `"${process.execPath}" "${script}"; exit $?`], {
      env: {
        DATA_DIR: folder.path,
        NATS_URL: inject('natsUrl'),
        npm_lifecycle_event: 'start',
      },
    });
    await parent.waitForLine(/^ready$/);
    const pids = { ...(await folder.readPids()), stack: (await folder.readAddresses()).pid };
    parent.signal('SIGKILL');
    // The pipes close when the last process that holds them has gone.
    await parent.exited;
    const left = await waitUntil(async () => ((await listAlive(pids)).length === 0 ? 'none' : null), {
      timeoutMs: 5_000,
    });
    expect(left).toBe('none');
  });
});

describe('what an earlier run left', () => {
  test('a killed run: its processes end, and the next start works on its data', async () => {
    const killed = await folder.startReady();
    const before = await folder.readPids();
    killed.signal('SIGKILL');
    await killed.exited;
    const next = await folder.startReady();
    expect(next.output()).toMatch(/^ready$/m);
    expect(await listAlive(before)).toEqual([]);
    expect(await countVisits((await folder.readAddresses()).databaseUrl)).toBe(2);
  });

  test('a pid file of Postgres whose pid now belongs to another program', async () => {
    const first = await folder.startReady();
    first.signal('SIGTERM');
    await first.exited;
    const stale = [process.pid, join(folder.path, 'postgres/data'), 1, 5432, '', '127.0.0.1', '', 'ready   '];
    await writeFile(join(folder.path, 'postgres/data/postmaster.pid'), `${stale.join('\n')}\n`);
    await folder.startReady();
    expect(await identifyProcess(process.pid)).not.toBeNull();
  });

  test('a Postgres killed under the stack ends it with one line, and the next start recovers', async () => {
    const first = await folder.startReady();
    process.kill((await folder.readPids()).postgres ?? 0, 'SIGKILL');
    expect(await first.exited).toEqual({ exitCode: 1, signal: null });
    expect(first.output()).toMatch(/^postgres ended \(SIGKILL\), see .*postgres\.log$/m);
    await folder.startReady();
    expect(await countVisits((await folder.readAddresses()).databaseUrl)).toBe(2);
  });
});

describe('in the way', () => {
  test('a second start on the same data folder is refused in one line', async () => {
    await folder.startReady(givenServers);
    const { pid } = await folder.readAddresses();
    const second = folder.start();
    expect(await second.exited).toEqual({ exitCode: 1, signal: null });
    expect(second.output().trim()).toBe(
      `npm start already runs on ${folder.path} (pid ${pid}): stop it with Ctrl-C there, or with kill ${pid}`,
    );
    expect((await folder.readAddresses()).pid).toBe(pid);
  });

  test('a port that is taken: the next one is used, and the address says so', async () => {
    const stranger = createServer((socket) => socket.end('INFO {"server_name":"stranger"}\r\n'));
    stranger.listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const { port } = stranger.address() as AddressInfo;
    try {
      const run = await folder.startReady({
        DATABASE_URL: database.url,
        STAND_IN_NATS_PORT: String(port),
      });
      const { natsUrl } = await folder.readAddresses();
      expect(Number(new URL(natsUrl).port)).toBeGreaterThan(port);
      expect(run.output()).toContain(`${natsUrl} (${port} is taken)`);
    } finally {
      stranger.close();
    }
  });

  test('NATS_URL and DATABASE_URL are used instead of own servers', async () => {
    const visitsBefore = await countVisits(database.url);
    await folder.startReady(givenServers);
    expect(Object.keys(await folder.readPids()).sort()).toEqual(['first', 'second']);
    expect(await countVisits(database.url)).toBe(visitsBefore + 1);
    expect(await folder.readAddresses()).toMatchObject({
      natsUrl: inject('natsUrl'),
      databaseUrl: database.url,
    });
  });

  test('a DATABASE_URL that leads nowhere is named in one line', async () => {
    const databaseUrl = new URL(inject('postgresUrl'));
    databaseUrl.pathname = '/nowhere';
    const run = folder.start({ NATS_URL: inject('natsUrl'), DATABASE_URL: databaseUrl.href });
    expect(await run.exited).toEqual({ exitCode: 1, signal: null });
    expect(run.output()).toMatch(
      /^DATABASE_URL: no connection to postgres:.*: database "nowhere" does not exist$/m,
    );
    expect(run.output()).not.toContain(databaseUrl.password);
  });

  test('a NATS_URL where nothing answers is named in one line', async () => {
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    silent.close();
    await once(silent, 'close');
    const natsUrl = `nats://someone:secret@127.0.0.1:${port}`;
    const run = folder.start({ ...givenServers, NATS_URL: natsUrl });
    expect(await run.exited).toEqual({ exitCode: 1, signal: null });
    expect(run.output()).toContain(`NATS_URL: no NATS server answers at nats://…@127.0.0.1:${port}\n`);
    expect(run.output()).not.toContain('secret');
    expect(await folder.readPids()).toEqual({});
  });
});
