// Timed callbacks: tasks, runs that wait or are under way, and the log of what became of each time.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    create table crontab_task (
      task_id        bigint generated always as identity constraint crontab_task_pkey primary key,
      name           text not null constraint crontab_task_name_key unique,
      enable         smallint not null constraint crontab_task_enable_check check (enable in (1, 2)),
      module         integer not null,
      type           smallint not null constraint crontab_task_type_check check (type between 1 and 7),
      start_time     text not null,
      time_zone      text not null,
      url            text not null,
      method         text not null,
      resp_regexp    text not null,
      body           text not null,
      body_type      smallint not null,
      redo_param     text not null,
      tags           text[] not null,
      timeout_ms     integer not null,
      overlap        text not null,
      misfire        text not null,
      misfire_window integer not null,
      delivery       text not null,
      secret         text not null,
      target         text not null,
      anchor_at      timestamptz not null,
      next_at        timestamptz not null,
      last_at        timestamptz,
      created_at     timestamptz not null default now(),
      updated_at     timestamptz not null default now()
    ) with (
      fillfactor = 70,
      autovacuum_vacuum_scale_factor = 0.05,
      autovacuum_vacuum_cost_delay = 0
    )`.execute(db);
  await sql`create index crontab_task_next_idx on crontab_task (next_at) where next_at < 'infinity'`.execute(
    db,
  );
  await sql`create index crontab_task_tags_idx on crontab_task using gin (tags)`.execute(db);

  // Hot, and small: a row lives from just before its time until its last try has ended (lease-table.ts).
  await sql`
    create table crontab_run (
      id           bigint generated always as identity constraint crontab_run_pkey primary key,
      task_id      bigint not null,
      scheduled_at timestamptz not null,
      run_type     smallint not null,
      try          smallint not null default 0,
      target       text not null,
      due_at       timestamptz not null,
      expires_at   timestamptz not null,
      state        smallint not null default 0 constraint crontab_run_state_check check (state in (0, 1)),
      attempt      smallint not null default 0,
      lapses       smallint not null default 0,
      lease_until  timestamptz,
      claimed_by   uuid,
      constraint crontab_run_time_key unique (task_id, scheduled_at, run_type)
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
  // `webhook-id` is made of it: whoever is called from two databases must not take the one's calls for the other's.
  await sql`
    do $$
    begin
      execute format('alter table crontab_run alter column id restart with %s', (1 + floor(random() * 4e17))::bigint);
    end
    $$`.execute(db);
  // In the words that lease-table.ts asks with.
  await sql`create index crontab_run_ready_idx on crontab_run (due_at) where state = 0`.execute(db);
  await sql`create index crontab_run_expiry_idx on crontab_run (expires_at) where lease_until is null`.execute(
    db,
  );
  await sql`create index crontab_run_leased_idx on crontab_run (lease_until) where state = 1`.execute(db);

  // What was called is told as it was then, because tasks change. `run_id` is that of the run, which is gone by then.
  await sql`
    create table crontab_log (
      scheduled_at timestamptz not null,
      run_id       bigint not null,
      try          smallint not null,
      task_id      bigint not null,
      name         text not null,
      run_type     smallint not null,
      status       smallint not null,
      begin_at     timestamptz not null,
      end_at       timestamptz not null,
      method       text not null,
      url          text not null,
      body         text not null,
      resp         text not null,
      resp_code    integer,
      err          text not null,
      missed       integer not null default 0,
      constraint crontab_log_pkey primary key (scheduled_at, run_id, try)
    ) partition by range (scheduled_at)`.execute(db);
  await sql`create table crontab_log_default partition of crontab_log default`.execute(db);
  // Ends in the order of the pages; `nulls last` as with probe_result: the primary key cannot give this order.
  await sql`
    create index crontab_log_task_idx on crontab_log
      (task_id, scheduled_at desc nulls last, run_id desc nulls last, try desc nulls last)`.execute(db);
  // What most rows have is not in them: they are looked for by their time alone.
  await sql`
    create index crontab_log_status_idx on crontab_log
      (status, scheduled_at desc nulls last, run_id desc nulls last, try desc nulls last)
    where status <> 2`.execute(db);
  await sql`
    create index crontab_log_run_type_idx on crontab_log
      (run_type, scheduled_at desc nulls last, run_id desc nulls last, try desc nulls last)
    where run_type <> 1`.execute(db);

  // The service makes those that follow.
  await sql`
    do $$
    declare
      day timestamptz;
    begin
      for offset_days in -1..3 loop
        day := (date_trunc('day', now() at time zone 'UTC') + offset_days * interval '1 day') at time zone 'UTC';
        execute format('create table %I partition of crontab_log for values from (%L) to (%L)',
          'crontab_log_' || to_char(day at time zone 'UTC', 'YYYYMMDD'), day, day + interval '24 hours');
      end loop;
    end
    $$`.execute(db);
}
