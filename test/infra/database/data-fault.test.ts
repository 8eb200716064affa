// Faults as Postgres tells them.
import { sql } from 'kysely';
import { DatabaseError } from 'pg';
import { expect, test } from 'vitest';
import { isDataFault } from '../../../infra/database/data-fault.ts';
import { useRecurringTables } from '../../helpers/recurring-tables.ts';

const tables = useRecurringTables();

async function faultOf(statement: string): Promise<unknown> {
  const fault: unknown = await tables.query(sql.raw(statement)).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(DatabaseError);
  return fault;
}

test.each([
  ['a number out of range', 'select 100000::smallint'],
  ['a text that is no number', `select 'x'::integer`],
  ['an octet zero in JSON', `select '"\\u0000"'::jsonb ->> 0`],
  ['a missing value', 'insert into agent_session (session_id, agent_id) values (gen_random_uuid(), null)'],
  [
    'a row that points to nothing',
    `insert into agent_session (session_id, agent_id) values (gen_random_uuid(), 'nobody')`,
  ],
  [
    'a value that a constraint forbids',
    `insert into probe_run (task_id, scheduled_at, agent_id, chunk, payload, due_at, expires_at, state)
     values (1, now(), 'a', 0, '{}', now(), now(), 9)`,
  ],
])('%s is a fault of the data', async (_, statement) => {
  expect(isDataFault(await faultOf(statement))).toBe(true);
});

test('a row that belongs to another partition by now is none', async () => {
  await tables.query(sql`
    create table probe_slot_late partition of probe_slot for values from ('2001-01-01Z') to ('2001-01-02Z')`);
  const fault = await faultOf(`
    insert into probe_slot_default
      (scheduled_at, task_id, expires_at, agents, runs, cells, missed, skipped)
    values ('2001-01-01Z', 1, now(), 1, 1, 1, 0, '{}')`);
  expect(fault).toMatchObject({ code: '23514' });
  expect(isDataFault(fault)).toBe(false);
});

test('what a function raises is none', async () => {
  expect(isDataFault(await faultOf(`do $$ begin raise 'not today'; end $$`))).toBe(false);
});

test.each([new Error('22003'), undefined])('what is not from the database is none: %s', (fault) => {
  expect(isDataFault(fault)).toBe(false);
});
