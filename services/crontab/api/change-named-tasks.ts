// Calls that do one thing to every task they name: look the tasks up, lock them, do it, say what came of each.
import type { Transaction } from 'kysely';
import {
  type CrontabItemResult,
  type CrontabTaskKey,
  crontabTaskKeySchema,
} from '../../../contracts/crontab.ts';
import type { Database } from '../../../infra/database/database.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { createEventLoopPauses, type EventLoopPauses } from '../../../infra/event-loop-pauses.ts';
import { type ItemFault, noSuchTask, refused, succeeded } from './item-result.ts';
import { type ReadItem, readItems } from './read-items.ts';
import { lockTasks, type ScheduledTask } from './stored-tasks.ts';
import { transactAgain } from './transact-again.ts';

export type NamedTasks = {
  db: Transaction<Tables>;
  /** Each once, however often it was named. */
  tasks: ScheduledTask[];
  nowMs: number;
  pauses: EventLoopPauses;
};

/** `change` resolves with the faults of tasks that could not be changed, by their ids. All is one transaction. */
export async function changeNamedTasks(
  list: readonly unknown[],
  database: Database,
  change: (named: NamedTasks) => Promise<ReadonlyMap<string, ItemFault>>,
): Promise<CrontabItemResult[]> {
  const pauses = createEventLoopPauses();
  const items = await readItems(list, crontabTaskKeySchema, pauses);
  const keys = items.flatMap(({ item }) => (item === undefined ? [] : [item]));
  return transactAgain(database, async (db) => {
    const { rows, nowMs } = await lockTasks(db, keys);
    const find = findByKey(rows);
    const found = keys.flatMap((key) => find(key) ?? []);
    const tasks = [...new Map(found.map((task) => [task.task_id, task])).values()];
    const faults = await change({ db, tasks, nowMs, pauses });
    return items.map((item) => report(item, find, faults));
  });
}

type FindTask = (key: CrontabTaskKey) => ScheduledTask | undefined;

/** By the id when there is one, else by the name. */
function findByKey(tasks: readonly ScheduledTask[]): FindTask {
  const byId = new Map(tasks.map((task) => [task.task_id, task]));
  const byName = new Map(tasks.map((task) => [task.name, task]));
  return ({ task_id: id, name }) => {
    if (id !== undefined) return byId.get(id);
    return name === undefined ? undefined : byName.get(name);
  };
}

function report(
  { key, item, fault }: ReadItem<CrontabTaskKey>,
  find: FindTask,
  faults: ReadonlyMap<string, ItemFault>,
): CrontabItemResult {
  if (item === undefined) return refused(key, fault);
  const task = find(item);
  if (task === undefined) return refused(key, noSuchTask(item));
  const found = faults.get(task.task_id);
  return found === undefined ? succeeded(task) : refused(task, found);
}
