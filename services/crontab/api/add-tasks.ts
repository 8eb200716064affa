// Stores new tasks, each with a name of its own; what cannot be stored leaves the others alone.
import { sql, type Transaction } from 'kysely';
import {
  type CrontabItemResult,
  type CrontabTaskAdd,
  crontabTaskAddSchema,
} from '../../../contracts/crontab.ts';
import type { Database } from '../../../infra/database/database.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { createEventLoopPauses } from '../../../infra/event-loop-pauses.ts';
import type { NetworkPolicy } from '../../../infra/network/network-policy.ts';
import { anchorAt, checkTask, findNextTime } from './check-task.ts';
import { faultOf, type ItemFault, nameTaken, refused, succeeded } from './item-result.ts';
import { readItems } from './read-items.ts';
import { defineTask } from './task-definition.ts';
import { encodeRecords, recordColumns, recordTable, recordValues, type TaskRecord } from './task-records.ts';
import { transactAgain } from './transact-again.ts';

type NewTask = Omit<TaskRecord, 'task_id'>;
type Candidate = { task: NewTask; fault: undefined } | { name: string; task: undefined; fault: ItemFault };
type StoredTask = { taskId: string; isNew: boolean };

const nameGivenTwice = faultOf([{ path: 'name', reason: 'is given twice in this request' }]);

/**
 * All or none of those without a fault are stored, in the order of the list; of several with one name the first. Where
 * the name is taken, the result has the id of the task that has it.
 */
export async function addTasks(
  list: readonly unknown[],
  options: { database: Database; networks: NetworkPolicy; timeZone: string },
): Promise<CrontabItemResult[]> {
  const { database, networks, timeZone } = options;
  const pauses = createEventLoopPauses();
  const items = await readItems(list, crontabTaskAddSchema, pauses);
  const nowMs = await readClock(database);
  const candidates: Candidate[] = [];
  const chosen = new Map<string, NewTask>();
  for (const { key, item, fault } of items) {
    if (pauses.isDue()) await pauses.take();
    const candidate = item === undefined ? refuse(key.name, fault) : planTask(item);
    candidates.push(candidate);
    const { task } = candidate;
    if (task !== undefined && !chosen.has(task.name)) chosen.set(task.name, task);
  }
  const stored = await storeTasks(database, [...chosen.values()]);
  return candidates.map(report);

  function planTask(item: CrontabTaskAdd): Candidate {
    const definition = defineTask(item, timeZone);
    const anchorMs = anchorAt(nowMs);
    const checked = checkTask(definition, anchorMs, networks);
    if (checked.times === undefined) return refuse(item.name, checked.fault);
    const next = findNextTime(checked.times, nowMs);
    if (next.nextMs === undefined) return refuse(item.name, next.fault);
    const nextMs = item.enable === 1 ? next.nextMs : Infinity;
    return {
      task: { ...definition, target: checked.target, anchorMs, nextMs, lastMs: null },
      fault: undefined,
    };
  }

  function report(candidate: Candidate): CrontabItemResult {
    if (candidate.task === undefined) return refused({ task_id: '', name: candidate.name }, candidate.fault);
    const { name } = candidate.task;
    const { taskId, isNew } = stored.get(name) ?? { taskId: '', isNew: false };
    const key = { task_id: taskId, name };
    if (!isNew) return refused(key, nameTaken);
    return candidate.task === chosen.get(name) ? succeeded(key) : refused(key, nameGivenTwice);
  }
}

function refuse(name: string, fault: ItemFault): Candidate {
  return { name, task: undefined, fault };
}

async function readClock(database: Database): Promise<number> {
  const { rows } = await database.run((db) => sql<{ now: Date }>`select now()`.execute(db));
  return rows[0]?.now.getTime() ?? Number.NaN;
}

/** By name: what was stored, and which task had the name before. */
async function storeTasks(database: Database, tasks: readonly NewTask[]): Promise<Map<string, StoredTask>> {
  if (tasks.length === 0) return new Map();
  return transactAgain(database, async (db) => {
    const ids = await reserveIds(db, tasks.length);
    const records = tasks.map((task, index) => ({ ...task, task_id: ids[index] ?? '' }));
    // In one order of names, whoever stores them: two requests with the same names never wait for each other.
    const inserted = await insertRecords(
      db,
      records.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
    const isNew = records.filter(({ task_id: id }) => inserted.has(id));
    const taken = records.filter(({ task_id: id }) => !inserted.has(id)).map(({ name }) => name);
    return new Map([
      ...isNew.map(({ name, task_id: taskId }): [string, StoredTask] => [name, { taskId, isNew: true }]),
      ...(await findOwners(db, taken)),
    ]);
  });
}

/** Ids in the order of the list, although they are stored in another one. */
async function reserveIds(db: Transaction<Tables>, count: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select nextval(pg_get_serial_sequence('crontab_task', 'task_id')) as id
    from generate_series(1, ${count}::integer)`.execute(db);
  return rows.map(({ id }) => id);
}

/** The ids of those whose name was free. */
async function insertRecords(db: Transaction<Tables>, records: readonly TaskRecord[]): Promise<Set<string>> {
  const inserted = new Set<string>();
  for (const encoded of encodeRecords(records)) {
    const { rows } = await sql<{ id: string }>`
      insert into crontab_task (task_id, ${recordColumns}) overriding system value
      select task.task_id, ${recordValues} from ${recordTable(encoded)}
      on conflict (name) do nothing
      returning task_id as id`.execute(db);
    for (const { id } of rows) inserted.add(id);
  }
  return inserted;
}

async function findOwners(
  db: Transaction<Tables>,
  names: readonly string[],
): Promise<[string, StoredTask][]> {
  if (names.length === 0) return [];
  const rows = await db
    .selectFrom('crontab_task')
    .select(['task_id', 'name'])
    .where('name', '=', sql<string>`any(${names}::text[])`)
    .execute();
  return rows.map(({ task_id: taskId, name }) => [name, { taskId, isNew: false }]);
}
