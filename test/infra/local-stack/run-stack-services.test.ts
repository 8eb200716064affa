// What the stack says of services that end, do not get ready or stand elsewhere.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { findFree } from '../../../infra/local-stack/start-on-free-port.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/postgres.ts';
import { createStandInFolder, listAlive, type StandInFolder } from './stand-in-run.ts';

let folder: StandInFolder;
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

test('a service that ends is reported with its last words and restarted', async () => {
  const run = await folder.startReady(givenServers);
  const { services } = await folder.readAddresses();
  const before = await folder.readPids();
  const crashUrl = new URL('/crash', services[0]?.metricsUrl);
  await expect(fetch(crashUrl)).rejects.toThrow();
  expect(await run.waitForLine(/^first ended/)).toBe(
    'first ended (exit code 3): crashed on request; restarting in 0.01 s',
  );
  await run.waitForLine(/^first is ready again$/);
  const after = await folder.readPids();
  expect(after.second).toBe(before.second);
  expect(await listAlive(after)).toEqual(expect.arrayContaining(['first', 'second']));
  expect(after.first).not.toBe(before.first);
});

test('a service that cannot be brought back stops the stack with one line', async () => {
  const run = await folder.startReady(givenServers);
  const { services } = await folder.readAddresses();
  await expect(fetch(new URL('/crash-for-good', services[1]?.metricsUrl))).rejects.toThrow();
  expect(await run.exited).toEqual({ exitCode: 1, signal: null });
  expect(run.output().match(/restarting in/g)).toHaveLength(3);
  expect(run.output()).toContain('second ended (exit code 4): crashed at the start; given up\n');
  expect(await folder.readPids()).toEqual({});
});

test('a service that refuses its configuration stops the stack, which names its faults in one line', async () => {
  const run = folder.start({ ...givenServers, STAND_IN_BROKEN: 'second' });
  expect(await run.exited).toEqual({ exitCode: 1, signal: null });
  expect(run.output()).toContain(
    'second ended (exit code 1): FIRST: is missing; SECOND: expected a number\n',
  );
  expect(await folder.readPids()).toEqual({});
});

test('a service that is killed is reported without words of its own, with its log', async () => {
  const run = await folder.startReady(givenServers);
  process.kill((await folder.readPids()).second ?? 0, 'SIGKILL');
  expect(await run.waitForLine(/^second ended/)).toBe(
    `second ended (SIGKILL), see ${join(folder.path, 'log', 'second.log')}; restarting in 0.01 s`,
  );
  await run.waitForLine(/^second is ready again$/);
});

test('a service that does not get ready stops the stack with the failed checks and what it waits for', async () => {
  const run = folder.start({ ...givenServers, STAND_IN_UNREADY: 'second' });
  expect(await run.exited).toEqual({ exitCode: 1, signal: null });
  expect(run.output()).toContain(
    'second is not ready after 0.5 s (bus, orders): waiting for the bus: nobody answers\n',
  );
  expect(await folder.readPids()).toEqual({});
});

test('a metrics port that is taken is replaced for that service alone, and its address says so', async () => {
  const port = await findNeighbours();
  const stranger = createServer().listen(port, '127.0.0.1');
  await once(stranger, 'listening');
  try {
    const run = await folder.startReady({ ...givenServers, STAND_IN_METRICS_PORT: String(port) });
    const [first, second] = (await folder.readAddresses()).services;
    expect(Number(new URL(first?.metricsUrl ?? '').port)).toBeGreaterThan(port + 1);
    expect(run.output()).toContain(`${first?.metricsUrl} (${port} is taken)\n`);
    expect(second?.metricsUrl).toBe(`http://127.0.0.1:${port + 1}/metrics`);
    expect(run.output()).toContain(`${second?.metricsUrl}\n`);
  } finally {
    stranger.close();
  }
});

describe('a service with a port of its own', () => {
  const apiOf = async () => (await folder.readAddresses()).services[1]?.url ?? '';

  test('stands there: its address is that of the API, and the file of addresses has both', async () => {
    const port = (await findFree(0)) ?? 0;
    const run = await folder.startReady({ ...givenServers, STAND_IN_API_PORT: String(port) });
    const [first, second] = (await folder.readAddresses()).services;
    expect(first?.url).toBeUndefined();
    expect(second?.url).toBe(`http://127.0.0.1:${port}`);
    expect(run.output()).toMatch(new RegExp(`^second +http://127\\.0\\.0\\.1:${port}$`, 'm'));
    expect(run.output()).not.toContain(second?.metricsUrl);
    expect(await (await fetch(second?.url ?? '')).text()).toBe('the API');
    expect(await (await fetch(second?.metricsUrl ?? '')).text()).toBe('ok');
  });

  test('stands elsewhere when that one is taken, and its address says so', async () => {
    const port = await findNeighbours();
    const stranger = createServer().listen(port, '127.0.0.1');
    await once(stranger, 'listening');
    try {
      const run = await folder.startReady({ ...givenServers, STAND_IN_API_PORT: String(port) });
      expect(await apiOf()).toBe(`http://127.0.0.1:${port + 1}`);
      expect(run.output()).toContain(`${await apiOf()} (${port} is taken)\n`);
    } finally {
      stranger.close();
    }
  });

  test('stands elsewhere when somebody was faster', async () => {
    const port = await findNeighbours();
    await folder.startReady({ ...givenServers, STAND_IN_API_PORT: String(port), STAND_IN_RACE: 'yes' });
    expect(await apiOf()).toBe(`http://127.0.0.1:${port + 1}`);
  });

  test('stands where its variable says, or anywhere with 0', async () => {
    const port = (await findFree(0)) ?? 0;
    const env = { ...givenServers, STAND_IN_API_PORT: '1' };
    const run = await folder.startReady({ ...env, SECOND_PORT: String(port) });
    expect(await apiOf()).toBe(`http://127.0.0.1:${port}`);
    run.signal('SIGTERM');
    await run.exited;
    const anywhere = await folder.startReady({ ...env, SECOND_PORT: '0' });
    expect(await (await fetch(await apiOf())).text()).toBe('the API');
    expect(anywhere.output()).not.toContain('taken');
  });

  test('is back there after it has ended', async () => {
    const port = (await findFree(0)) ?? 0;
    const run = await folder.startReady({
      ...givenServers,
      STAND_IN_API_PORT: '1',
      SECOND_PORT: String(port),
    });
    process.kill((await folder.readPids()).second ?? 0, 'SIGKILL');
    await run.waitForLine(/^second is ready again$/);
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('the API');
  });
});

test('services on another HTTP_HOST are asked there, and their addresses name it', async () => {
  // Elsewhere than on Linux loopback has one address only.
  const host = process.platform === 'linux' ? '127.0.0.2' : 'localhost';
  const run = await folder.startReady({ ...givenServers, HTTP_HOST: host });
  for (const { metricsUrl } of (await folder.readAddresses()).services) {
    expect(new URL(metricsUrl).hostname).toBe(host);
    expect(run.output()).toContain(metricsUrl);
    expect((await fetch(metricsUrl)).status).toBe(200);
  }
});

/** A free port whose successor is free, too. */
async function findNeighbours(): Promise<number> {
  for (;;) {
    const port = (await findFree(0)) ?? 0;
    if (port < 65_000 && (await findFree(port + 1)) !== null) return port;
  }
}
