// The event file of a play, followed while it grows.
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger } from '../../../../infra/logger.ts';
import { followEvents } from '../../../../services/dispatch/play/follow-events.ts';
import type { PlayEvent } from '../../../../services/dispatch/play/player.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'probe-task-events-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const nodes = new Set(['n']);
const silent = createLogger('test', 'silent');

function line(action: string, stdout = ''): string {
  const fixed = {
    kind: 'task',
    node: 'n',
    module: 'command',
    result: 'ok',
    isIgnored: false,
    isChanged: false,
  };
  return `${JSON.stringify({ ...fixed, action, startedAt: 1, endedAt: 2, detail: { stdout } })}\n`;
}

function nameOf(event: PlayEvent): string {
  return event.kind === 'task' ? event.action : event.kind;
}

test('five megabytes come whole, in order, and in batches that are taken one after the other', async () => {
  const file = join(folder, 'large');
  const names = Array.from({ length: 200 }, (_, index) => `task ${index}`);
  await writeFile(file, names.map((name) => line(name, 'ü'.repeat(12_500))).join(''));
  const batches: string[][] = [];
  let open = 0;
  await followEvents(
    { file, nodes, secretForms: [], ended: Promise.resolve() },
    {
      onStart: () => undefined,
      async onEvents(events) {
        open += 1;
        expect(open).toBe(1);
        await new Promise(setImmediate);
        batches.push(events.map(nameOf));
        open -= 1;
      },
      signal: new AbortController().signal,
      logger: silent,
    },
  );
  expect(batches.flat()).toEqual(names);
  expect(batches.length).toBeGreaterThan(10);
});

test('lines are taken when they are whole, also such as were written at the very end', async () => {
  const file = join(folder, 'growing');
  await writeFile(file, `{"kind":"start"}\n${line('first')}${line('second').slice(0, 20)}`);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const seen: string[] = [];
  await followEvents(
    { file, nodes, secretForms: [], ended },
    {
      onStart: () => seen.push('start'),
      async onEvents(events) {
        seen.push(...events.map(nameOf));
        if (!seen.includes('first') || seen.includes('second')) return;
        await appendFile(file, line('second').slice(20));
        await appendFile(file, line('third'));
        end();
      },
      signal: new AbortController().signal,
      logger: silent,
    },
  );
  expect(seen).toEqual(['start', 'first', 'second', 'third']);
});

test('garbage is counted, and events after it are taken', async () => {
  const file = join(folder, 'garbage');
  await writeFile(file, `${'x'.repeat(3_000_000)}\nnonsense\n${line('fine')}cut off`);
  const logged: string[] = [];
  const seen: string[] = [];
  await followEvents(
    { file, nodes, secretForms: [], ended: Promise.resolve() },
    {
      onStart: () => undefined,
      onEvents: async (events) => void seen.push(...events.map(nameOf)),
      signal: new AbortController().signal,
      logger: pino({ base: null }, { write: (text: string) => void logged.push(text) }),
    },
  );
  expect(seen).toEqual(['fine']);
  expect(logged.map((text) => JSON.parse(text).lines)).toEqual([3]);
});

test('events that nobody takes do not hold up a stopped play for ever', async () => {
  const file = join(folder, 'refused');
  await writeFile(file, line('refused'));
  let offers = 0;
  await followEvents(
    { file, nodes, secretForms: [], ended: Promise.resolve() },
    {
      onStart: () => undefined,
      async onEvents() {
        offers += 1;
        throw new Error('not any more');
      },
      signal: AbortSignal.abort(),
      logger: silent,
    },
    { retryMs: 10 },
  );
  expect(offers).toBe(10);
});
