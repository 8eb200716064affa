// Runs that are ready for agents: how fast they come to rows of the history, one of each cell with the right answer.
import { connect, type NatsConnection } from 'nats';
import { Client } from 'pg';
import { z } from 'zod';
import { wakeSubject } from '../../../contracts/subjects.ts';
import { waitUntil } from '../../../infra/local-stack/wait-until.ts';
import type { TestService } from '../../helpers/processes.ts';
import { type BenchContext, verify, WrongResult } from '../harness/bench.ts';
import { zone, zoneAddress } from '../harness/platform.ts';
import { settleDatabase } from './settle-database.ts';

/** Beyond this something hangs. */
const drainLimitMs = 60_000;
/** What a look at the queue takes is a tenth of a millisecond. */
const lookEveryMs = 5;
/**
 * Agents look for runs every three seconds by themselves: a backlog of which one of them has claimed anything before it
 * is woken does not count. The next one is written just after they have looked.
 */
const maxAttempts = 5;

export type BacklogSize = { runs: number; cellsPerRun: number };

export type Backlog = {
  readonly databaseUrl: string;
  /** Starts agents that claim runs of this database. */
  startAgents(count: number): Promise<{ id: string; service: TestService }[]>;
  /**
   * Adds runs of as many tasks, in turn for each of these agents, wakes them, and resolves with the time from there to
   * the last result that is stored, on an empty history. Every cell has a name of its own. Throws unless each has come
   * to one row with the right answer.
   */
  drain(agentIds: readonly string[], size: BacklogSize): Promise<{ elapsedMs: number }>;
};

/** On a database of its own, which ends with the bench. */
export async function createBacklog(context: BenchContext): Promise<Backlog> {
  const { platform, keep, startService } = context;
  const natsUrl = await platform.natsUrl();
  const { address, port } = await platform.nameServer();
  const server = `${address}:${port}`;
  const databaseUrl = keep(await platform.createDatabase()).url;
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  keep({ stop: () => client.end() });
  const bus = await connect({ servers: natsUrl, noAsyncTraces: true });
  keep({ stop: () => bus.close() });
  let agentCount = 0;

  return {
    databaseUrl,
    startAgents: (count) =>
      Promise.all(
        Array.from({ length: count }, async () => {
          agentCount += 1;
          const id = `bench-${agentCount}`;
          const service = await startService('agent', {
            NATS_URL: natsUrl,
            DATABASE_URL: databaseUrl,
            AGENT_ID: id,
            AGENT_COUNTRY: '86',
            AGENT_PROVINCE: '440000',
            AGENT_CITY: '440400',
            AGENT_CARRIER: '电信',
            // The one server stands for several: it is not spared as one would be.
            AGENT_CONCURRENCY_PER_SERVER: '512',
          });
          return { id, service };
        }),
      ),
    async drain(agentIds, size) {
      for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
        const slotAt = new Date();
        await client.query('truncate probe_result');
        await addRuns(client, { server, slotAt, agentIds, ...size });
        await settleDatabase(client);
        const readyCount = await countReady(client);
        const startedAt = performance.now();
        wake(bus, agentIds);
        const isDone = await waitUntil(async () => ((await hasRuns(client)) ? null : true), {
          timeoutMs: drainLimitMs,
          intervalMs: lookEveryMs,
        });
        const elapsedMs = performance.now() - startedAt;
        verify(isDone !== null, `runs are left after ${drainLimitMs / 1000} s`);
        await verifyResults(client, { slotAt, agentIds, ...size });
        if (readyCount === size.runs) return { elapsedMs };
      }
      throw new WrongResult(`runs were claimed before the clock started, ${maxAttempts} times in a row`);
    },
  };
}

function wake(bus: NatsConnection, agentIds: readonly string[]): void {
  for (const id of agentIds) bus.publish(wakeSubject(id));
}

/** Runs that nobody has claimed. */
async function countReady(client: Client): Promise<number> {
  const { rows } = await client.query(
    'select count(*)::integer from probe_run where state = 0 and attempt = 0',
  );
  return z.object({ count: z.int() }).parse(rows[0]).count;
}

/** The last run of the queue is claimed last: it is there until all but the last few runs are done. */
async function hasRuns(client: Client): Promise<boolean> {
  return (await client.query('select from probe_run order by id desc limit 1')).rows.length > 0;
}

type Slot = BacklogSize & { slotAt: Date; agentIds: readonly string[] };

/** Of tasks 1, 2, 3, …, with the agents in turn. */
async function addRuns(client: Client, slot: Slot & { server: string }): Promise<void> {
  const { server, slotAt, agentIds, runs, cellsPerRun } = slot;
  await client.query(
    `insert into probe_run (task_id, scheduled_at, agent_id, chunk, payload, due_at, expires_at)
     select task, $1, ($2::text[])[1 + task % cardinality($2::text[])], 0,
       jsonb_build_object(
         'servers', jsonb_build_array($3::text), 'first_cell', 0, 'stride', $5::integer,
         'targets', (
           select jsonb_agg(jsonb_build_object('domain', format('n%s.t%s.${zone}', cell, task), 'rtype', 'A'))
           from generate_series(0, $5::integer - 1) cell)),
       now() - ($4::integer - task) * interval '1 ms', now() + interval '1 hour'
     from generate_series(1, $4::integer) task`,
    [slotAt, agentIds, server, runs, cellsPerRun],
  );
}

const countsSchema = z.object({
  rows: z.coerce.number(),
  right: z.coerce.number(),
  tasks: z.coerce.number(),
});

/** The key of the rows is task, agent and cell: as many right ones as there were cells are one for each. */
async function verifyResults(client: Client, slot: Slot): Promise<void> {
  const { slotAt, agentIds, runs, cellsPerRun } = slot;
  const { rows } = await client.query(
    `select count(*) as rows, count(distinct task_id) as tasks,
       count(*) filter (where status = 'NOERROR' and task_id between 1 and $4::integer
         and cell between 0 and $5::integer - 1 and domain = format('n%s.t%s.${zone}', cell, task_id)
         and agent_id = ($2::text[])[1 + task_id % cardinality($2::text[])]
         and jsonb_array_length(answer) = 1 and answer -> 0 ->> 'name' = domain || '.'
         and answer -> 0 ->> 'result' = $3) as right
     from probe_result where scheduled_at = $1`,
    [slotAt, agentIds, zoneAddress, runs, cellsPerRun],
  );
  const counts = countsSchema.parse(rows[0]);
  const cells = runs * cellsPerRun;
  verify(
    counts.rows === cells && counts.right === cells && counts.tasks === runs,
    `of ${cells} cells of ${runs} runs ${counts.rows} rows of ${counts.tasks} runs, ${counts.right} of them right`,
  );
}
