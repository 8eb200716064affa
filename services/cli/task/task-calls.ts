// Tasks, results and slots as the gateway has them, each beside the document it came as: that one keeps fields that the
// contract does not know.
import { z } from 'zod';
import { decodeJson } from '../../../contracts/decode.ts';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import type { Task } from '../../../contracts/task.ts';
import type { TaskResult } from '../../../contracts/task-result.ts';
import type { TaskSlot } from '../../../contracts/task-slot.ts';
import { type Caller, FailedCall } from '../call-bus.ts';
import { type Pages, readPages } from './read-pages.ts';
import type { ResultFilter, SlotFilter } from './task-history-arguments.ts';

export type Documented<Value> = { value: Value; document: unknown };

/** What the gateway takes at most, of results and slots; of tasks what is quickly read. */
const pageSize = 1000;

/** Tasks in the order of their ids: all, or those of one status. Throws `FailedCall`. */
export function listTasks(
  caller: Caller,
  filter: { status: Task['status'] | undefined; limit: number | undefined },
): Promise<Pages<Documented<Task>>> {
  const { status, limit = Number.POSITIVE_INFINITY } = filter;
  const readPage = async (count: number, cursor: string | undefined) => {
    const { reply, body, nextCursor = null } = await caller.call('taskGet', { limit: count, cursor });
    return { items: pair(reply, z.array(z.unknown()).parse(decodeJson(body))), nextCursor };
  };
  const choice = status === undefined ? {} : { keep: hasStatus };
  return readPages(readPage, { limit, pageSize, ...choice });

  function hasStatus({ value }: Documented<Task>): boolean {
    return value.status === status;
  }
}

/** One task. Throws `FailedCall`, with `NOT_FOUND` where there is none of this id. */
export async function getTask(caller: Caller, taskId: string): Promise<Documented<Task>> {
  // Pages start behind their cursor, and no id is below 1.
  const before = BigInt(taskId) - 1n;
  const cursor = before === 0n ? undefined : String(before);
  const { reply, body } = await caller.call('taskGet', { limit: 1, cursor });
  const [task] = pair(reply, z.array(z.unknown()).parse(decodeJson(body)));
  if (task?.value.task_id === taskId) return task;
  throw new FailedCall(new ProbeTaskError('NOT_FOUND', `there is no task ${taskId}`, { task_id: taskId }));
}

/** Results, the newest first. Throws `FailedCall`. */
export function listResults(
  caller: Caller,
  filter: ResultFilter,
  limit: number,
): Promise<Pages<Documented<TaskResult>>> {
  const documents = z.object({ results: z.array(z.unknown()) }).transform(({ results }) => results);
  return listHistory(limit, documents, async (page) => {
    const { reply, body } = await caller.call('taskResultGet', { ...filter, ...page });
    return { values: reply.results, nextCursor: reply.next_cursor, body };
  });
}

/** Slots, the newest first. Throws `FailedCall`. */
export function listSlots(
  caller: Caller,
  filter: SlotFilter,
  limit: number,
): Promise<Pages<Documented<TaskSlot>>> {
  const documents = z.object({ slots: z.array(z.unknown()) }).transform(({ slots }) => slots);
  return listHistory(limit, documents, async (page) => {
    const { reply, body } = await caller.call('taskSlotGet', { ...filter, ...page });
    return { values: reply.slots, nextCursor: reply.next_cursor, body };
  });
}

type HistoryAnswer<Value> = { values: Value[]; nextCursor: string | null; body: Uint8Array };

/** `documents` finds the list in a reply as it came. */
function listHistory<Value>(
  limit: number,
  documents: z.ZodType<unknown[]>,
  ask: (page: { limit: number; cursor: string | undefined }) => Promise<HistoryAnswer<Value>>,
): Promise<Pages<Documented<Value>>> {
  const readPage = async (count: number, cursor: string | undefined) => {
    const { values, nextCursor, body } = await ask({ limit: count, cursor });
    return { items: pair(values, documents.parse(decodeJson(body))), nextCursor };
  };
  return readPages(readPage, { limit, pageSize });
}

/** The list as it was parsed and as it came: of the same order and length. */
function pair<Value>(values: readonly Value[], documents: readonly unknown[]): Documented<Value>[] {
  return values.map((value, index) => ({ value, document: documents[index] }));
}
