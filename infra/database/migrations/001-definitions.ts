// What users define: tasks, domain groups, probe groups and the resolvers of a region.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    create table probe_task (
      task_id      bigint generated always as identity constraint probe_task_pkey primary key,
      type         text not null,
      service_type text not null,
      cycle        integer not null constraint probe_task_cycle_check check (cycle >= 0),
      probe_data   jsonb not null,
      target       jsonb not null,
      status       smallint not null constraint probe_task_status_check check (status in (0, 1)),
      group_id     integer,
      uid          jsonb,
      gid          jsonb,
      task_time    jsonb,
      pinned       boolean not null,
      created_at   timestamptz not null default now(),
      updated_at   timestamptz not null default now()
    )`.execute(db);
  await sql`create index probe_task_updated_at_idx on probe_task (updated_at)`.execute(db);
  // Finds the tasks that use a domain group before it is deleted.
  await sql`create index probe_task_target_idx on probe_task using gin (target jsonb_path_ops)`.execute(db);

  await sql`
    create table domain_group (
      id         integer generated always as identity constraint domain_group_pkey primary key,
      name       text not null constraint domain_group_name_key unique,
      domains    text[] not null,
      updated_at timestamptz not null default now()
    )`.execute(db);

  await sql`
    create table probe_group_detail (
      group_id integer not null,
      country  text not null,
      province text not null,
      city     text not null,
      carrier  text not null,
      constraint probe_group_detail_pkey primary key (group_id, country, province, city, carrier)
    )`.execute(db);

  await sql`
    create table local_dns (
      country  text not null,
      province text not null,
      city     text not null,
      carrier  text not null,
      ips      text[] not null,
      constraint local_dns_pkey primary key (country, province, city, carrier)
    )`.execute(db);
}
