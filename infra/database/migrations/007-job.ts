// Jobs: what was submitted, what came of it, and the rows that workers claim.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  // `request` is there only until the job has ended.
  await sql`
    create table job_task (
      id              bigint generated always as identity constraint job_task_pkey primary key,
      task_id         uuid not null default gen_random_uuid() constraint job_task_task_id_key unique,
      type            text not null,
      state           text not null default 'PENDING'
                        constraint job_task_state_check check (state in ('PENDING', 'SUCCESS', 'FAILURE')),
      idempotency_key text constraint job_task_idempotency_key_key unique,
      request_hash    bytea not null,
      request         bytea,
      result          bytea,
      info            text,
      created_at      timestamptz not null default now(),
      started_at      timestamptz,
      ended_at        timestamptz
    )`.execute(db);
  // JSON of megabytes: the faster of the two compressions, where this Postgres was built with it.
  const { rows } = await sql<{ found: boolean }>`
    select 'lz4' = any (enumvals) as found from pg_settings where name = 'default_toast_compression'`.execute(
    db,
  );
  if (rows[0]?.found === true) {
    await sql`alter table job_task alter request set compression lz4, alter result set compression lz4`.execute(
      db,
    );
  }
  // Pages of the list: those that failed are few among many.
  await sql`create index job_task_list_idx on job_task (type, id)`.execute(db);
  await sql`create index job_task_failed_idx on job_task (id) where state = 'FAILURE'`.execute(db);
  // What the upkeep looks for.
  await sql`create index job_task_ended_idx on job_task (ended_at) where ended_at is not null`.execute(db);

  // Hot, and small: a row lives until its job has ended (lease-table.ts). `id` is that of the job. `lane` tells what kind of
  // worker it is for.
  await sql`
    create table job_run (
      id             bigint constraint job_run_pkey primary key,
      lane           smallint not null,
      is_stop_wanted boolean not null default false,
      due_at         timestamptz not null default now(),
      expires_at     timestamptz not null,
      state          smallint not null default 0 constraint job_run_state_check check (state in (0, 1)),
      attempt        smallint not null default 0,
      lapses         smallint not null default 0,
      lease_until    timestamptz,
      claimed_by     uuid
    ) with (
      fillfactor = 70,
      autovacuum_vacuum_scale_factor = 0,
      autovacuum_vacuum_threshold = 2000,
      autovacuum_vacuum_cost_delay = 0
    )`.execute(db);
  // In the words that lease-table.ts asks with.
  await sql`create index job_run_ready_idx on job_run (lane, due_at) where state = 0`.execute(db);
  await sql`create index job_run_expiry_idx on job_run (expires_at) where lease_until is null`.execute(db);
  await sql`create index job_run_leased_idx on job_run (lease_until) where state = 1`.execute(db);
}
