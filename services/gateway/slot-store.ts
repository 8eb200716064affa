// What was planned for each slot of the recurring tasks, and what came of it, in Postgres.
import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely';
import { z } from 'zod';
import { type RunFailure, runFailures } from '../../contracts/run.ts';
import { taskIdSchema } from '../../contracts/task.ts';
import {
  maxSkippedIds,
  type TaskSlot,
  type TaskSlotGetReply,
  type TaskSlotGetRequest,
} from '../../contracts/task-slot.ts';
import type { Database } from '../../infra/database/database.ts';
import { limitStatements } from '../../infra/database/limit-statements.ts';
import { decodeCursor, encodeCursor } from '../../infra/database/page-cursor.ts';
import type { Tables } from '../../infra/database/tables.ts';
import { cutPage, fitOctets } from './page.ts';

export type SlotStore = {
  /**
   * Newest nominal time first, then by task, the largest id first. A page ends early where counting its results would
   * take too long, and where a message is full. Throws `INVALID_REQUEST` for a cursor that is none.
   */
  list(request: TaskSlotGetRequest): Promise<TaskSlotGetReply>;
};

type Slot = Selectable<Tables['probe_slot']>;
type Counts = Pick<TaskSlot, 'done' | 'late' | 'lost' | 'expired'>;

/** Cells of one page at most; a slot of more has a page of its own. */
const maxCountedCells = 100_000;

/**
 * Reads with the rights and limits of `database`; throws `UNAVAILABLE` while it is away. `maxOctets`: what one message
 * may have.
 */
export function createSlotStore(database: Database, maxOctets: () => number): SlotStore {
  return {
    list: (request) =>
      database.transact(async (db) => {
        await limitStatements(db);
        const found = await selectSlots(db, request).execute();
        const chosen = found.slice(0, fitCells(found, request.limit));
        const counts = chosen.length === 0 ? [] : await countResults(db, chosen).execute();
        const countsBySlot = new Map(counts.map((row) => [encodePosition(row), row]));
        const slots = chosen.map((slot) => formatSlot(slot, countsBySlot.get(encodePosition(slot))));
        const { rows, nextCursor } = cutPage(found, fitOctets(slots, maxOctets()), encodePosition);
        return { slots: slots.slice(0, rows.length), next_cursor: nextCursor ?? null };
      }),
  };
}

/** The statement for the slots of one page and the first of the next. */
export function selectSlots(
  db: Kysely<Tables>,
  { task_id: taskId, from, to, limit, cursor }: TaskSlotGetRequest,
) {
  let query = db
    .selectFrom('probe_slot')
    .selectAll()
    .orderBy('scheduled_at', 'desc')
    .orderBy('task_id', 'desc')
    .limit(limit + 1);
  if (taskId != null) query = query.where('task_id', '=', taskId);
  if (from != null) query = query.where('scheduled_at', '>=', from);
  if (to != null) query = query.where('scheduled_at', '<', to);
  const position = decodeCursor(cursor, positionSchema);
  if (position !== undefined) {
    query = query.where(sql<boolean>`(scheduled_at, task_id) < (${sql.join(position)})`);
  }
  return query;
}

/** How many slots from the first on can be counted for one page. */
function fitCells(slots: Slot[], limit: number): number {
  let cells = 0;
  for (const [index, slot] of slots.entries()) {
    cells += slot.cells;
    if (index > 0 && cells > maxCountedCells) return Math.min(limit, index);
  }
  return limit;
}

/**
 * The statement that counts what came of these slots. Lateral, so that the results of each are one range of the primary
 * key in one partition; to be run after `limitStatements`, because wrong statistics make a partition for each slot of it.
 */
export function countResults(db: Kysely<Tables>, slots: Slot[]) {
  const keys = sql<Pick<Slot, 'scheduled_at' | 'task_id' | 'expires_at'>>`unnest(
    ${slots.map((slot) => slot.scheduled_at)}::timestamptz[],
    ${slots.map((slot) => slot.task_id)}::bigint[],
    ${slots.map((slot) => slot.expires_at)}::timestamptz[])`;
  const hasOutcome = sql`status not in (${sql.join(runFailures)})`;
  return db
    .selectFrom(keys.as<'slot'>(sql`slot (scheduled_at, task_id, expires_at)`))
    .innerJoinLateral(
      (from) =>
        from
          .selectFrom('probe_result as result')
          .select([
            countWhere(hasOutcome).as('done'),
            countWhere(sql`${hasOutcome} and finished_at > slot.expires_at`).as('late'),
            countWhere(sql`status = ${'LOST' satisfies RunFailure}`).as('lost'),
            countWhere(sql`status = ${'EXPIRED' satisfies RunFailure}`).as('expired'),
          ])
          .whereRef('result.scheduled_at', '=', 'slot.scheduled_at')
          .whereRef('result.task_id', '=', 'slot.task_id')
          .as('counts'),
      (join) => join.onTrue(),
    )
    .selectAll(['counts', 'slot']);
}

/** A number, and not the text of a bigint: a slot has fewer cells than that takes. */
function countWhere(condition: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`(count(*) filter (where ${condition}))::integer`;
}

/** Where a slot lies in the order. Nominal times are whole milliseconds, so that a `Date` holds them exactly. */
const positionSchema = z.tuple([
  z.iso.datetime().transform((scheduledAt) => new Date(scheduledAt)),
  taskIdSchema,
]);

function encodePosition({ scheduled_at, task_id }: Pick<Slot, 'scheduled_at' | 'task_id'>): string {
  return encodeCursor([scheduled_at.toISOString(), task_id]);
}

const noCounts: Counts = { done: 0, late: 0, lost: 0, expired: 0 };

function formatSlot(slot: Slot, { done, late, lost, expired }: Counts = noCounts): TaskSlot {
  return {
    task_id: slot.task_id,
    scheduled_at: slot.scheduled_at.toISOString(),
    planned_at: slot.planned_at.toISOString(),
    expires_at: slot.expires_at.toISOString(),
    missed: slot.missed,
    agents: slot.agents,
    runs: slot.runs,
    cells: slot.cells,
    done,
    late,
    lost,
    expired,
    pending: Math.max(0, slot.cells - done - lost - expired),
    skipped: slot.skipped.map(({ reason, ids, count = ids.length }) => ({
      reason,
      count,
      ids: ids.slice(0, maxSkippedIds),
    })),
  };
}
