// The history of recurring tasks: one row for every cell of every slot.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  // The key is made of what was planned, so that a cell probed twice is stored once. Partitions by day make it cheap to
  // drop old days; what has no day of its own lies in the default partition.
  await sql`
    create table probe_result (
      scheduled_at timestamptz not null,
      task_id      bigint not null,
      agent_id     text not null,
      cell         integer not null,
      finished_at  timestamptz not null default now(),
      device       jsonb not null,
      domain       text not null,
      rtype        text not null,
      dns_server   text not null,
      status       text not null,
      delay_ms     double precision,
      transport    text,
      truncated    boolean not null,
      tries        smallint not null,
      flags        text[] not null,
      answer       jsonb not null,
      authority    jsonb not null,
      additional   jsonb not null,
      constraint probe_result_pkey primary key (scheduled_at, task_id, agent_id, cell)
    ) partition by range (scheduled_at)`.execute(db);
  await sql`create table probe_result_default partition of probe_result default`.execute(db);
  await sql`create index probe_result_task_idx on probe_result (task_id, scheduled_at)`.execute(db);
}
