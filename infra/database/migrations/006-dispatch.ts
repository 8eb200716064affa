// The dispatch channel: tasks, their nodes, runs that wait or are under way, and what Ansible did.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  // Kept for ever: a name is never free again. `work` holds the content under a seal, and only until it has been run.
  await sql`
    create table dispatch_task (
      id          bigint generated always as identity constraint dispatch_task_pkey primary key,
      parent_id   bigint constraint dispatch_task_parent_id_fkey references dispatch_task,
      name        text not null constraint dispatch_task_name_key unique,
      is_parent   boolean not null default false,
      global_id   text not null,
      source      text not null,
      nodes       text[] not null,
      user_name   text not null,
      forks       integer not null,
      timeout_ms  integer not null,
      run_key     uuid not null default gen_random_uuid(),
      status      smallint not null default 0 constraint dispatch_task_status_check check (status between 0 and 5),
      err         text,
      work        bytea,
      created_at  timestamptz not null default now(),
      updated_at  timestamptz not null default now(),
      started_at  timestamptz,
      ended_at    timestamptz,
      has_events  boolean not null default true
    )`.execute(db);
  await sql`create index dispatch_task_parent_idx on dispatch_task (parent_id) where parent_id is not null`.execute(
    db,
  );
  // What the upkeep looks for.
  await sql`create index dispatch_task_ended_idx on dispatch_task (ended_at) where has_events and ended_at is not null`.execute(
    db,
  );

  await sql`
    create table dispatch_node (
      task_id     bigint not null constraint dispatch_node_task_id_fkey references dispatch_task,
      position    integer not null,
      node        text not null,
      status      smallint not null default 0 constraint dispatch_node_status_check check (status between 0 and 4),
      ok          integer not null default 0,
      changed     integer not null default 0,
      failed      integer not null default 0,
      skipped     integer not null default 0,
      err         text,
      started_at  timestamptz,
      updated_at  timestamptz not null default now(),
      ended_at    timestamptz,
      constraint dispatch_node_pkey primary key (task_id, position)
    ) with (fillfactor = 70)`.execute(db);

  // Hot, and small: a row lives until its run has ended (lease-table.ts). `id` is that of the task.
  await sql`
    create table dispatch_run (
      id             bigint constraint dispatch_run_pkey primary key
                       constraint dispatch_run_id_fkey references dispatch_task,
      is_stop_wanted boolean not null default false,
      due_at         timestamptz not null default now(),
      expires_at     timestamptz not null,
      state          smallint not null default 0 constraint dispatch_run_state_check check (state in (0, 1)),
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
  await sql`create index dispatch_run_ready_idx on dispatch_run (due_at) where state = 0`.execute(db);
  await sql`create index dispatch_run_expiry_idx on dispatch_run (expires_at) where lease_until is null`.execute(
    db,
  );
  await sql`create index dispatch_run_leased_idx on dispatch_run (lease_until) where state = 1`.execute(db);

  // One row for each Ansible task on each node, in the order in which they ended.
  await sql`
    create table dispatch_event (
      task_id     bigint not null constraint dispatch_event_task_id_fkey references dispatch_task,
      seq         integer not null,
      global_id   text not null,
      source      text not null,
      host        text not null,
      node        text not null,
      action      text not null,
      result      text not null,
      started_at  timestamptz not null,
      ended_at    timestamptz not null,
      detail      jsonb not null,
      constraint dispatch_event_pkey primary key (task_id, seq)
    )`.execute(db);
  await sql`create index dispatch_event_log_idx on dispatch_event (global_id, source, host, task_id, seq)`.execute(
    db,
  );
}
