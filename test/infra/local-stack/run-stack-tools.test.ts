// What the stack does of tools that only some of its services need, and where these keep their files.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
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

function linesOf(output: string): string[] {
  return output.trimEnd().split('\n');
}

test('goes on without tools that cannot be had, and says so in one line', async () => {
  const run = await folder.startReady({ ...givenServers, STAND_IN_TOOLS: 'missing' });
  const lines = linesOf(run.output());
  expect(lines.filter((line) => line.includes('tool'))).toEqual([
    'the second does nothing without a tool: install it',
  ]);
  expect(await listAlive(await folder.readPids())).toEqual(expect.arrayContaining(['first', 'second']));
});

test('starts the services beside an installation, and is ready when that is over', async () => {
  const run = folder.start({ ...givenServers, STAND_IN_TOOLS: 'slow' });
  await run.waitForLine(/^second +http:/);
  expect(run.output()).not.toMatch(/^ready$/m);
  await writeFile(join(folder.path, 'tools'), '');
  await run.waitForLine(/^ready$/);
  expect(run.output()).not.toContain('installed');
});

test('is ready without an installation that takes too long, and tells of its end', async () => {
  const env = { ...givenServers, STAND_IN_TOOLS: 'slow', STAND_IN_TOOLS_TIMEOUT: '1' };
  const run = await folder.startReady(env);
  const lines = linesOf(run.output());
  expect(lines.indexOf('not installed yet: the rest is ready without it')).toBeGreaterThan(0);
  expect(lines).not.toContain('installed');
  await writeFile(join(folder.path, 'tools'), '');
  await run.waitForLine(/^installed$/);
});

test('Ctrl-C ends an installation that it waits for', async () => {
  const run = folder.start({ ...givenServers, STAND_IN_TOOLS: 'slow' });
  await run.waitForLine(/^second +http:/);
  run.signal('SIGINT');
  expect(await run.exited).toEqual({ exitCode: 0, signal: null });
  expect(linesOf(run.output()).at(-1)).toMatch(/^stopping/);
  expect(await folder.readPids()).toEqual({});
});

test('Ctrl-C waits for an installation that must not be cut short, and says so', async () => {
  const run = folder.start({ ...givenServers, STAND_IN_TOOLS: 'stubborn' });
  await run.waitForLine(/^second +http:/);
  run.signal('SIGINT');
  await run.waitForLine(/^waiting for the end of an installation that must not be cut short …$/);
  expect(await folder.readPids()).toEqual({});
  await writeFile(join(folder.path, 'tools'), '');
  expect(await run.exited).toEqual({ exitCode: 0, signal: null });
});

test.each([
  ['below the data folder', {}, (path: string) => join(path, 'of-the-first')],
  ['where its variable says', { FIRST_FOLDER: '/elsewhere' }, () => '/elsewhere'],
])('a service with a folder keeps its files %s', async (_where, env, expected) => {
  await folder.startReady({ ...givenServers, ...env });
  const log = await readFile(join(folder.path, 'log', 'first.log'), 'utf8');
  const entry = log.split('\n').find((line) => line.includes('keeps files')) ?? '{}';
  expect(JSON.parse(entry)).toMatchObject({ folder: expected(folder.path) });
});
