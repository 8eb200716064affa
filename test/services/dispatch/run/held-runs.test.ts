// What a replica keeps of a run whose lease ran out here, and which it claimed once more.
import { pino } from 'pino';
import { beforeEach, expect, test, vi } from 'vitest';
import { createHeldRuns, type HeldRuns } from '../../../../services/dispatch/run/held-runs.ts';
import type { ClaimedRun } from '../../../../services/dispatch/run/run-store.ts';
import { testSeal, testWork } from '../dispatch-tables.ts';
import { statsEvent } from './play-events.ts';
import { createScriptedPlayer, type ScriptedPlayer } from './scripted-player.ts';

const node = '10.0.0.1';
let player: ScriptedPlayer;
let held: HeldRuns;
beforeEach(() => {
  player = createScriptedPlayer();
  held = createHeldRuns({
    player,
    store: { begin: async () => 'begun', addEvents: async () => true },
    seal: testSeal,
    controllerFilesFor: async () => ({}),
    onFinished: () => undefined,
    logger: pino({ level: 'silent' }),
  });
});

const claimed = (attempt: number): ClaimedRun => ({
  claim: { id: '1', attempt },
  taskId: '1',
  runKey: 'key',
  nodes: [{ address: node, port: 22, text: node }],
  user: 'root',
  forks: 5,
  timeoutMs: 60_000,
  wasBegun: attempt > 1,
  isStopWanted: false,
  work: testSeal.close(testWork),
});
const take = (attempt: number) => held.take(claimed(attempt), performance.now());

async function startPlay() {
  take(1);
  await vi.waitUntil(() => player.plays.length === 1);
  const [play] = player.plays;
  if (play === undefined) throw new Error('it is not played');
  return play;
}

test('its end, which could not be stored in time, is what became of it', async () => {
  const { tell, end } = await startPlay();
  await tell(statsEvent({ [node]: { ok: 1 } }));
  end({ kind: 'ended', exitCode: 0, lastWords: '', hasActed: true });
  await vi.waitUntil(() => held.done().length === 1);
  take(2);
  expect(held.done()).toMatchObject([{ claim: { id: '1', attempt: 2 }, verdict: { status: 2 } }]);
  expect(player.cleaned).toEqual([]);
});

test('its nodes are cleaned when the play of then is gone', async () => {
  const gone = Promise.withResolvers<void>();
  player.linger = gone.promise;
  const { signal } = await startPlay();
  take(2);
  expect(signal.reason).toBe('lost');
  await new Promise(setImmediate);
  expect(player.cleaned).toEqual([]);
  gone.resolve();
  await vi.waitUntil(() => held.done().length === 1);
  expect(player.cleaned).toEqual(['key']);
  expect(held.done()).toMatchObject([{ claim: { attempt: 2 }, verdict: { status: 3, err: 'interrupted' } }]);
});
