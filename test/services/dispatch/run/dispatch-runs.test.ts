// A replica from the claim of a run to its end, on a real Postgres; its plays are ended by the tests.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import { createMetrics } from '../../../../infra/metrics.ts';
import { createDispatchRuns } from '../../../../services/dispatch/run/dispatch-runs.ts';
import { createSeal } from '../../../../services/dispatch/seal.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { until } from '../../../helpers/test-client.ts';
import { testSeal, testWork, useDispatchTables } from '../dispatch-tables.ts';
import { statsEvent, taskEvent } from './play-events.ts';
import { createScriptedPlayer, type ScriptedPlay, type ScriptedPlayer } from './scripted-player.ts';

const tables = useDispatchTables();
const node = '10.0.0.1';
let player: ScriptedPlayer;
beforeEach(() => {
  player = createScriptedPlayer();
});

async function startReplica({ concurrency = 20, gone = [] as string[] } = {}) {
  const runs = keepUntilTestEnd(
    createDispatchRuns({
      database: tables.database,
      upkeepDatabase: tables.database,
      player,
      seal: testSeal,
      controllerFilesFor: async () => ({}),
      replica: randomUUID(),
      listGoneReplicas: async () => gone,
      concurrency,
      retentionDays: 90,
      metrics: createMetrics(),
      logger: tables.logger,
    }),
  );
  await runs.start();
  return runs;
}

/** Resolves when the run of the task is being played. */
async function playOf(id: string): Promise<ScriptedPlay> {
  const { run_key: runKey } = await tables.readTask(id);
  await until(async () => player.playOf(runKey) !== undefined);
  const play = player.playOf(runKey);
  if (play === undefined) throw new Error('it is not played');
  return play;
}
const hasEnded = (id: string) => until(async () => (await tables.readTask(id)).ended_at !== null);
const wantStop = (id: string) =>
  tables.query(sql`update dispatch_run set is_stop_wanted = true where id = ${id}`);

describe('a run', () => {
  test('is played as it was asked for, and ends as its nodes did', async () => {
    const id = await tables.addTask({ nodes: [node, '10.0.0.2'], timeoutMs: 5000 });
    await startReplica();
    const { play, tell, end } = await playOf(id);
    const { run_key: runKey } = await tables.readTask(id);
    expect(play).toMatchObject({ runKey, user: 'root', forks: 5, timeoutMs: 5000, ...testWork });
    await tell(
      taskEvent(node),
      taskEvent('10.0.0.2', { result: 'unreachable', detail: { msg: 'no route' } }),
    );
    expect(await tables.readEvents(id)).toHaveLength(2);
    expect(await tables.readTask(id)).toMatchObject({ status: 1 });
    await tell(statsEvent({ [node]: { ok: 1 }, '10.0.0.2': { unreachable: 1 } }));
    end({ kind: 'ended', exitCode: 4, lastWords: '', hasActed: true });
    await hasEnded(id);
    expect(await tables.readTask(id)).toMatchObject({ status: 5, err: '1 of 2 nodes failed', work: null });
    expect(await tables.readNodes(id)).toMatchObject([
      { status: 2, ok: 1, err: null },
      { status: 3, failed: 1, err: 'say hello: unreachable: no route' },
    ]);
    expect(await tables.readRuns()).toEqual([]);
    expect(player.cleaned).toEqual([]);
  });

  test('waits while the replica has as many as it may', async () => {
    const [first, second] = [await tables.addTask(), await tables.addTask()];
    await startReplica({ concurrency: 1 });
    const { tell, end } = await playOf(first);
    expect(player.plays).toHaveLength(1);
    await tell(statsEvent({ [node]: { ok: 1 } }));
    end({ kind: 'ended', exitCode: 0, lastWords: '', hasActed: true });
    await playOf(second);
    expect(await tables.readTask(first)).toMatchObject({ status: 2 });
  });

  test('is left to others where Ansible is missing', async () => {
    let looks = 0;
    player.findFault = async () => {
      looks += 1;
      return 'ansible-playbook is missing';
    };
    const id = await tables.addTask();
    const runs = await startReplica();
    // With the second look the first one has had its consequences.
    await until(async () => {
      runs.wake();
      return looks > 1;
    });
    expect(await tables.readRuns()).toMatchObject([{ id, attempt: 0 }]);
    player.findFault = async () => undefined;
    await playOf(id);
  });

  test.each([
    ['its seal is of another key', createSeal('x'.repeat(32)).close(testWork), /sealed under another key/],
    ['its form is of another version', testSeal.close({ content: 1 }), /another version/],
  ])('fails where %s', async (_case, work, err) => {
    const id = await tables.addTask({ work });
    await startReplica();
    await hasEnded(id);
    expect(await tables.readTask(id)).toMatchObject({ status: 3, err: expect.stringMatching(err) });
    expect(player.plays).toEqual([]);
  });

  test('that took too long is ended on its nodes, and has failed', async () => {
    const id = await tables.addTask({ timeoutMs: 2000 });
    await startReplica();
    const { end } = await playOf(id);
    end({ kind: 'timed_out' });
    await hasEnded(id);
    expect(await tables.readTask(id)).toMatchObject({ status: 3, err: 'took longer than 2 s' });
    expect(player.cleaned).toHaveLength(1);
  });
});

test.each([
  [true, 1],
  [false, 0],
])(
  'a run whose Ansible broke off has failed, and is ended on its nodes if it had acted there: %s',
  async (hasActed, times) => {
    const id = await tables.addTask();
    await startReplica();
    const { end } = await playOf(id);
    end({ kind: 'ended', exitCode: 137, lastWords: '', hasActed });
    await hasEnded(id);
    const err = 'ansible-playbook ended with exit code 137';
    expect(await tables.readTask(id)).toMatchObject({ status: 3, err });
    expect(await tables.readNodes(id)).toMatchObject([{ status: 3, err }]);
    expect(player.cleaned).toHaveLength(times);
  },
);

describe('a stop', () => {
  test('cuts the play and is not over before its nodes are clean', async () => {
    const id = await tables.addTask();
    const cleaning = Promise.withResolvers<void>();
    player.clean = async () => {
      await cleaning.promise;
      return [{ node, isClean: true, reason: '' }];
    };
    await startReplica();
    const { signal } = await playOf(id);
    await wantStop(id);
    await until(async () => player.cleaned.length === 1);
    expect(signal.reason).toBe('stop');
    expect(await tables.readTask(id)).toMatchObject({ status: 1 });
    cleaning.resolve();
    await hasEnded(id);
    expect(await tables.readTask(id)).toMatchObject({ status: 4, err: null });
    expect(await tables.readNodes(id)).toMatchObject([{ status: 4 }]);
  });

  test('tells where something may go on', async () => {
    const id = await tables.addTask();
    player.clean = async () => [{ node, isClean: false, reason: 'unreachable' }];
    await startReplica();
    await playOf(id);
    await wantStop(id);
    await hasEnded(id);
    expect(await tables.readTask(id)).toMatchObject({
      status: 4,
      err: `it may go on at ${node}: unreachable`,
    });
  });

  test('that comes too late leaves the run as it ended', async () => {
    const id = await tables.addTask();
    await startReplica();
    const { tell, end } = await playOf(id);
    await tell(statsEvent({ [node]: { ok: 1 } }));
    await wantStop(id);
    end({ kind: 'ended', exitCode: 0, lastWords: '', hasActed: true });
    await hasEnded(id);
    expect(await tables.readTask(id)).toMatchObject({ status: 2 });
  });
});

describe('after a replica that is gone', () => {
  test.each([
    [false, 3, 'interrupted'],
    [true, 4, null],
  ])(
    'a run that had begun is cleaned up after, and not played again (to be stopped: %s)',
    async (isStopWanted, status, err) => {
      const gone = randomUUID();
      const id = await tables.addTask({ status: 1, leasedFor: 30_000, claimedBy: gone, isStopWanted });
      await startReplica({ gone: [gone] });
      await hasEnded(id);
      expect(await tables.readTask(id)).toMatchObject({ status, err });
      expect(player.cleaned).toEqual([(await tables.readTask(id)).run_key]);
      expect(player.plays).toEqual([]);
    },
  );

  test('a run that had not begun is played', async () => {
    const id = await tables.addTask({ leasedFor: -1 });
    await startReplica();
    await playOf(id);
  });
});

describe('a run that is another’s by now', () => {
  test('is cut here, and nothing more is written of it', async () => {
    const id = await tables.addTask();
    await startReplica();
    const { signal, tell } = await playOf(id);
    await tables.query(
      sql`update dispatch_run set attempt = attempt + 1, claimed_by = ${randomUUID()}::uuid`,
    );
    await tell(taskEvent(node));
    expect(await tables.readEvents(id)).toEqual([]);
    await until(async () => signal.aborted);
    expect(signal.reason).toBe('lost');
    expect(await tables.readTask(id)).toMatchObject({ status: 1, ended_at: null });
    expect(player.cleaned).toEqual([]);
  });
});

describe('a replica that is stopped', () => {
  test('ends its runs, and what they do on their nodes', async () => {
    const id = await tables.addTask();
    const runs = await startReplica();
    const { signal } = await playOf(id);
    await runs.stop();
    expect(signal.reason).toBe('service');
    expect(player.cleaned).toHaveLength(1);
    expect(await tables.readTask(id)).toMatchObject({ status: 3, err: 'interrupted' });
  });

  test('takes no more runs', async () => {
    const runs = await startReplica();
    await runs.stop();
    let looks = 0;
    player.findFault = async () => {
      looks += 1;
      return undefined;
    };
    player = createScriptedPlayer();
    const id = await tables.addTask();
    runs.wake();
    await startReplica();
    await playOf(id);
    expect(looks).toBe(0);
  });
});
