// Recurring tasks at work: when each is due, who can run it, what is to be run, and what became of every slot.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  // `-infinity`: the scheduler has yet to find the first slot; `infinity`: there is none any more.
  await sql`
    alter table probe_task
      add column next_at timestamptz not null default '-infinity',
      add column last_at timestamptz,
      add column idempotency_key text constraint probe_task_idempotency_key_key unique,
      set (fillfactor = 70)`.execute(db);
  // It was written anew for every target of a task whenever its next slot was noted; who deletes a domain group can wait
  // for a look at all tasks.
  await sql`drop index probe_task_target_idx`.execute(db);
  await sql`
    create index probe_task_due_idx on probe_task (next_at)
      where status = 1 and type = 'dns' and next_at < 'infinity'`.execute(db);

  await sql`
    create table agent (
      agent_id      text not null constraint agent_pkey primary key,
      country       text not null,
      province      text not null,
      city          text not null,
      carrier       text not null,
      groups        integer[] not null,
      resolvers     text[] not null,
      version       text not null,
      registered_at timestamptz not null default now()
    )`.execute(db);
  // One row per process. Heartbeats lie here and not on runs, so that they stay small updates in place.
  await sql`
    create table agent_session (
      session_id   uuid not null constraint agent_session_pkey primary key,
      agent_id     text not null constraint agent_session_agent_id_fkey references agent on delete cascade,
      started_at   timestamptz not null default now(),
      heartbeat_at timestamptz not null default now()
    ) with (fillfactor = 50)`.execute(db);
  await sql`create index agent_session_agent_idx on agent_session (agent_id)`.execute(db);

  // Work that is still to be done, and nothing else: completing a run deletes it. Every claim changes the column that
  // the partial indexes are about, so no update of it stays in place, and dead rows must go quickly.
  await sql`
    create table probe_run (
      id           bigint generated always as identity constraint probe_run_pkey primary key,
      task_id      bigint not null,
      scheduled_at timestamptz not null,
      agent_id     text not null,
      chunk        integer not null,
      payload      jsonb not null,
      due_at       timestamptz not null,
      expires_at   timestamptz not null,
      state        smallint not null default 0 constraint probe_run_state_check check (state in (0, 1)),
      attempt      smallint not null default 0,
      lapses       smallint not null default 0,
      lease_until  timestamptz,
      claimed_by   uuid,
      constraint probe_run_slot_key unique (task_id, scheduled_at, agent_id, chunk)
    ) with (
      fillfactor = 70,
      autovacuum_vacuum_scale_factor = 0,
      autovacuum_vacuum_threshold = 2000,
      autovacuum_vacuum_insert_scale_factor = 0,
      autovacuum_vacuum_insert_threshold = 50000,
      autovacuum_vacuum_cost_delay = 0,
      autovacuum_analyze_scale_factor = 0,
      autovacuum_analyze_threshold = 10000
    )`.execute(db);
  // Both are about what is ready. Statistics of a queue that changes this fast say little, and by wrong ones the planner
  // would take the second for the first: so it is restricted in words that a claim does not use.
  await sql`create index probe_run_ready_idx on probe_run (agent_id, due_at) where state = 0`.execute(db);
  await sql`create index probe_run_expiry_idx on probe_run (expires_at) where lease_until is null`.execute(
    db,
  );
  await sql`create index probe_run_leased_idx on probe_run (lease_until) where state = 1`.execute(db);

  // Written once, when the slot is planned; what became of its cells is counted in the results.
  await sql`
    create table probe_slot (
      scheduled_at timestamptz not null,
      task_id      bigint not null,
      planned_at   timestamptz not null default now(),
      expires_at   timestamptz not null,
      agents       integer not null,
      runs         integer not null,
      cells        integer not null,
      missed       integer not null,
      skipped      jsonb not null,
      constraint probe_slot_pkey primary key (scheduled_at, task_id)
    ) partition by range (scheduled_at)`.execute(db);
  await sql`create table probe_slot_default partition of probe_slot default`.execute(db);
  await sql`create index probe_slot_task_idx on probe_slot (task_id, scheduled_at)`.execute(db);

  await sql`alter table probe_result add column lag_ms double precision`.execute(db);
  // Each filter of the history has an index that ends in the order of the pages. `nulls last` is not about nulls, there
  // are none: it makes this order one that the primary key cannot give, so that a page of one task is never sought by
  // reading the rows of all. The status at the end is compared without a look at the row.
  await sql`drop index probe_result_task_idx`.execute(db);
  await sql`
    create index probe_result_task_idx on probe_result
      (task_id, scheduled_at desc nulls last, agent_id desc nulls last, cell desc nulls last, status)`.execute(
    db,
  );
  await sql`
    create index probe_result_agent_idx on probe_result
      (agent_id, scheduled_at desc nulls last, task_id desc nulls last, cell desc nulls last)`.execute(db);
  await sql`
    create index probe_result_domain_idx on probe_result
      (domain, scheduled_at desc nulls last, task_id desc nulls last, agent_id desc nulls last,
       cell desc nulls last, status)`.execute(db);
  await sql`
    create index probe_result_failure_idx on probe_result
      (status, scheduled_at desc nulls last, task_id desc nulls last, agent_id desc nulls last,
       cell desc nulls last)
      where status <> 'NOERROR'`.execute(db);

  // The scheduler makes those that follow; what comes before its first round has its place already.
  await sql`
    do $$
    declare
      parent text;
      day timestamptz;
    begin
      foreach parent in array array['probe_slot', 'probe_result'] loop
        for offset_days in -1..3 loop
          day := (date_trunc('day', now() at time zone 'UTC') + offset_days * interval '1 day') at time zone 'UTC';
          execute format('create table %I partition of %I for values from (%L) to (%L)',
            parent || '_' || to_char(day at time zone 'UTC', 'YYYYMMDD'), parent, day, day + interval '24 hours');
        end loop;
      end loop;
    end
    $$`.execute(db);
}
