// The store of a replica, runs that it has claimed, and what came of their calls.
import { randomUUID } from 'node:crypto';
import { beforeEach } from 'vitest';
import type { CallbackOutcome } from '../../../../services/crontab/callback/caller.ts';
import {
  type ClaimedRun,
  createRunStore,
  type FinishedCall,
  type RunStore,
} from '../../../../services/crontab/run/run-store.ts';
import { type CrontabRunRow, type CrontabTaskRow, useCrontabTables } from '../crontab-tables.ts';

export const scheduledAt = Date.parse('2026-09-20T04:00:00Z');
export const done: CallbackOutcome = { isOk: true, resp: 'done', respCode: 200, err: '' };
export const failed: CallbackOutcome = {
  isOk: false,
  resp: 'sorry',
  respCode: 503,
  err: 'HTTP_STATUS: 503',
};

/** Of a call of a quarter of a second. */
export function finished(run: ClaimedRun, outcome: CallbackOutcome, retryAt?: number): FinishedCall {
  const beginAt = scheduledAt + 3.5;
  return { claim: run.claim, run, kind: 'called', outcome, beginAt, endAt: scheduledAt + 250, retryAt };
}

/** For a file of tests: a replica of its own for each of them. */
export function useRunStore() {
  const tables = useCrontabTables();
  let replica: string;
  let store: RunStore;
  beforeEach(() => {
    replica = randomUUID();
    store = createRunStore(tables.database, replica);
  });

  return {
    tables,
    get replica() {
      return replica;
    },
    get store() {
      return store;
    },
    createOther: () => createRunStore(tables.database, randomUUID()),
    /** A run of a new task, claimed. */
    async claimOne(run: CrontabRunRow = {}, task: CrontabTaskRow = {}): Promise<ClaimedRun> {
      const taskId = await tables.addTask(task);
      const id = await tables.addRun({ taskId, scheduledAt, ...run });
      const { runs } = await store.claim(100, []);
      const claimed = runs.find(({ claim }) => claim.id === id);
      if (claimed === undefined) throw new Error('the run was not claimed');
      return claimed;
    },
  };
}
