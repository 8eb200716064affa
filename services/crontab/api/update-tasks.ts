// Changes tasks: each item names one, by its id or else its name, and the fields that change.
import { sql, type Transaction } from 'kysely';
import {
  type CrontabItemResult,
  type CrontabTaskUpdate,
  crontabTaskUpdateSchema,
} from '../../../contracts/crontab.ts';
import type { Database } from '../../../infra/database/database.ts';
import { formatNumbers } from '../../../infra/database/statement-values.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { createEventLoopPauses, type EventLoopPauses } from '../../../infra/event-loop-pauses.ts';
import type { NetworkPolicy } from '../../../infra/network/network-policy.ts';
import { nameTaken, noSuchTask, refused, succeeded } from './item-result.ts';
import { type ChangingTask, hasChange, nothingGiven, planChange } from './plan-change.ts';
import { type ReadItem, readItems } from './read-items.ts';
import { lockWholeTasks, type WholeTask } from './stored-tasks.ts';
import { createTaskNames, type TaskNames } from './task-names.ts';
import { encodeRecords, recordColumns, recordTable, recordValues, type TaskRecord } from './task-records.ts';
import { transactAgain } from './transact-again.ts';
import { cancelRuns, logUnplanned, pausedReason, type UnplannedTimes } from './uncalled-runs.ts';

/**
 * Tasks of one transaction: while they are locked, no turn plans their times. A request that fails on its way may have
 * changed some of its tasks, and does no harm when it is repeated.
 */
const partSize = 200;

type UpdateItem = ReadItem<CrontabTaskUpdate>;

/** In the order of the list, so that of two changes of one task the second prevails. */
export async function updateTasks(
  list: readonly unknown[],
  options: { database: Database; networks: NetworkPolicy },
): Promise<CrontabItemResult[]> {
  const { database, networks } = options;
  const pauses = createEventLoopPauses();
  const items = await readItems(list, crontabTaskUpdateSchema, pauses);
  const results: CrontabItemResult[] = [];
  for (let start = 0; start < items.length; start += partSize) {
    const part = items.slice(start, start + partSize);
    results.push(...(await transactAgain(database, (db) => updatePart(db, part, networks, pauses))));
  }
  return results;
}

async function updatePart(
  db: Transaction<Tables>,
  items: readonly UpdateItem[],
  networks: NetworkPolicy,
  pauses: EventLoopPauses,
): Promise<CrontabItemResult[]> {
  const { tasks, names, nowMs } = await lockTasks(db, items);
  const renamed = new Set<string>();
  const results: CrontabItemResult[] = [];
  for (const { key, item, fault } of items) {
    if (pauses.isDue()) await pauses.take();
    results.push(item === undefined ? refused(key, fault) : change(item, key));
  }
  const changed = [...tasks.values()].filter(({ isChanged }) => isChanged);
  // While the tasks are what they were: the log tells of them.
  await endSchedules(db, changed);
  await giveUpNames(db, [...renamed]);
  await storeTasks(db, changed);
  return results;

  function change(item: CrontabTaskUpdate, key: UpdateItem['key']): CrontabItemResult {
    const task = tasks.get(item.task_id ?? (item.name === undefined ? '' : (names.idOf(item.name) ?? '')));
    if (task === undefined) return refused(key, noSuchTask(item));
    const { row } = task;
    if (!hasChange(item)) return refused(row, nothingGiven);
    const planned = planChange(task, item, nowMs, networks);
    if (planned.task === undefined) return refused(row, planned.fault);
    const name = item.new_name ?? row.name;
    if (!names.rename(row.task_id, row.name, name)) return refused(row, nameTaken);
    if (name !== row.name) renamed.add(row.task_id);
    tasks.set(row.task_id, { ...planned.task, row: { ...planned.task.row, name } });
    return succeeded({ task_id: row.task_id, name });
  }
}

/** The tasks that the items name, and who has the names that they ask for. */
async function lockTasks(
  db: Transaction<Tables>,
  items: readonly UpdateItem[],
): Promise<{ tasks: Map<string, ChangingTask>; names: TaskNames; nowMs: number }> {
  const changes = items.flatMap(({ item }) => (item === undefined ? [] : [item]));
  const { rows, nowMs } = await lockWholeTasks(db, changes);
  const asked = changes.flatMap(({ new_name: name }) => (name === undefined ? [] : [name]));
  const owners =
    asked.length === 0
      ? []
      : await db
          .selectFrom('crontab_task')
          .select(['task_id', 'name'])
          .where('name', '=', sql<string>`any(${asked}::text[])`)
          .execute();
  return {
    tasks: new Map(rows.map((row) => [row.task_id, unchanged(row)])),
    names: createTaskNames([...owners, ...rows]),
    nowMs,
  };
}

function unchanged(row: WholeTask): ChangingTask {
  return { row, isChanged: false, unplanned: undefined, isPaused: false };
}

/** What was due and is not called any more, and what waits at a task that was disabled. */
async function endSchedules(db: Transaction<Tables>, tasks: readonly ChangingTask[]): Promise<void> {
  const paused = tasks.filter(({ isPaused }) => isPaused);
  const rescheduled = tasks.filter(({ isPaused }) => !isPaused);
  await logUnplanned(db, unplannedOf(rescheduled), 'the task was given another schedule');
  await logUnplanned(db, unplannedOf(paused), pausedReason);
  await cancelRuns(
    db,
    paused.map(({ row }) => row.task_id),
    pausedReason,
  );
}

function unplannedOf(tasks: readonly ChangingTask[]): UnplannedTimes[] {
  return tasks.flatMap(({ unplanned }) => unplanned ?? []);
}

/** Before any of them gets its new one, which may be what another of them had: a name that no caller can give. */
async function giveUpNames(db: Transaction<Tables>, taskIds: readonly string[]): Promise<void> {
  if (taskIds.length === 0) return;
  await sql`
    update crontab_task set name = chr(1) || task_id where task_id = any (${formatNumbers(taskIds)}::bigint[])`.execute(
    db,
  );
}

async function storeTasks(db: Transaction<Tables>, tasks: readonly ChangingTask[]): Promise<void> {
  for (const encoded of encodeRecords(tasks.map(({ row }) => toRecord(row)))) {
    await sql`
      update crontab_task stored set (${recordColumns}) = row (${recordValues}), updated_at = now()
      from ${recordTable(encoded)} where stored.task_id = task.task_id`.execute(db);
  }
}

function toRecord({ anchor_at, next_at, last_at, ...task }: WholeTask): TaskRecord {
  return {
    ...task,
    anchorMs: anchor_at.getTime(),
    nextMs: Number(next_at),
    lastMs: last_at === null ? null : last_at.getTime(),
  };
}
