// The least that a queue of leased runs takes of Postgres: claim and complete in batches on bare tables, nothing else.
import { Pool } from 'pg';
import { z } from 'zod';
import { bareDrainSchema } from '../contenders/queue-drain.ts';
import { settleDatabase } from '../contenders/settle-database.ts';
import { serveWork } from '../harness/serve-work.ts';

const batch = 100;

serveWork(bareDrainSchema, async ({ databaseUrl, jobs, connections }) => {
  const pool = new Pool({ connectionString: databaseUrl, max: connections });
  await pool.query(tables);
  await pool.query(
    `insert into bare_run (task_id, scheduled_at, agent_id, due_at, expires_at)
     select n, now(), 1, now(), now() + interval '1 hour' from generate_series(1, $1) n`,
    [jobs],
  );
  await settleDatabase(pool);
  // Connections are made before the clock starts.
  await Promise.all(Array.from({ length: connections }, () => pool.query('select pg_sleep(0.01)')));
  const startedAt = performance.now();
  const counts = await Promise.all(Array.from({ length: connections }, () => workOnAndOn(pool)));
  const elapsedMs = performance.now() - startedAt;
  const { rows } = await pool.query(
    'select (select count(*) from bare_run)::integer as left, (select count(*) from bare_result)::integer as stored',
  );
  const { left, stored } = z.object({ left: z.int(), stored: z.int() }).parse(rows[0]);
  await pool.end();
  return {
    elapsedMs,
    calls: counts.reduce((sum, count) => sum + count, 0),
    jobs: stored,
    isDone: left === 0,
  };
});

const claimedSchema = z.array(z.object({ id: z.string(), attempt: z.int() }));

async function workOnAndOn(pool: Pool): Promise<number> {
  let count = 0;
  for (;;) {
    const { rows } = await pool.query({ name: 'claim', text: claim, values: [1, batch] });
    const claimed = claimedSchema.parse(rows);
    if (claimed.length === 0) return count;
    const ids = claimed.map(({ id }) => id);
    const attempts = claimed.map(({ attempt }) => attempt);
    await pool.query({ name: 'complete', text: complete, values: [ids, attempts] });
    count += claimed.length;
  }
}

const tables = `
  drop table if exists bare_run, bare_result;
  create table bare_run (
    id bigint generated always as identity primary key,
    task_id bigint not null, scheduled_at timestamptz not null, agent_id integer not null,
    due_at timestamptz not null, expires_at timestamptz not null,
    state smallint not null default 0, attempt smallint not null default 0, lease_until timestamptz,
    unique (task_id, scheduled_at, agent_id)
  ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0);
  create index on bare_run (agent_id, due_at) where state = 0;
  create index on bare_run (lease_until) where state = 1;
  create table bare_result (
    scheduled_at timestamptz not null, task_id bigint not null, agent_id integer not null,
    finished_at timestamptz not null default now(), rcode smallint,
    primary key (scheduled_at, task_id, agent_id)
  )`;

const claim = `
  update bare_run work set state = 1, attempt = work.attempt + 1, lease_until = now() + interval '30 s'
  where id = any (array(
    select id from bare_run where state = 0 and agent_id = $1 and due_at <= now()
    order by due_at limit $2 for update skip locked))
  returning id, attempt`;

const complete = `
  with done as (
    delete from bare_run
    where id = any ($1::bigint[])
      and id || ':' || attempt = any (select i || ':' || a from unnest($1::bigint[], $2::smallint[]) v (i, a))
    returning scheduled_at, task_id, agent_id)
  insert into bare_result (scheduled_at, task_id, agent_id, rcode)
  select scheduled_at, task_id, agent_id, 0 from done
  on conflict do nothing`;
