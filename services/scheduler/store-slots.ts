// What a turn writes: slots with their runs.
import { sql, type Transaction } from 'kysely';
import type { SkippedPart } from '../../contracts/task-slot.ts';
import { formatNumbers, fromMs } from '../../infra/database/statement-values.ts';
import type { Tables } from '../../infra/database/tables.ts';
import type { PlannedRun } from './plan-runs.ts';

export type PlannedSlot = {
  taskId: string;
  scheduledAt: number;
  expiresAt: number;
  missed: number;
  agentCount: number;
  cellCount: number;
  runs: PlannedRun[];
  skipped: SkippedPart[];
};

/** Runs, and characters of their payloads, that one insert has, or a little more: they bound the size of a statement. */
const maxInsertRuns = 10_000;
const maxInsertLength = 16 * 1024 * 1024;

type RunOfSlot = { slot: PlannedSlot; run: PlannedRun };

/** Stores slots with their runs. A slot that is there already is a fault, and fails the transaction. */
export async function storeSlots(db: Transaction<Tables>, slots: PlannedSlot[]): Promise<void> {
  let batch: RunOfSlot[] = [];
  let length = 0;
  for (const slot of slots) {
    for (const run of slot.runs) {
      batch.push({ slot, run });
      length += run.payload.length;
      if (batch.length < maxInsertRuns && length < maxInsertLength) continue;
      await storeRuns(db, batch);
      batch = [];
      length = 0;
    }
  }
  if (batch.length > 0) await storeRuns(db, batch);
  await sql`
    insert into probe_slot (task_id, scheduled_at, expires_at, agents, runs, cells, missed, skipped)
    select task_id, ${fromMs('scheduled_at')}, ${fromMs('expires_at')}, agents, runs, cells, missed, skipped
    from unnest(
      ${formatNumbers(slots.map(({ taskId }) => taskId))}::bigint[],
      ${formatNumbers(slots.map(({ scheduledAt }) => scheduledAt))}::float8[],
      ${formatNumbers(slots.map(({ expiresAt }) => expiresAt))}::float8[],
      ${formatNumbers(slots.map(({ agentCount }) => agentCount))}::integer[],
      ${formatNumbers(slots.map(({ runs }) => runs.length))}::integer[],
      ${formatNumbers(slots.map(({ cellCount }) => cellCount))}::integer[],
      ${formatNumbers(slots.map(({ missed }) => missed))}::integer[],
      ${slots.map(({ skipped }) => JSON.stringify(skipped))}::jsonb[]
    ) as slot (task_id, scheduled_at, expires_at, agents, runs, cells, missed, skipped)`.execute(db);
}

/**
 * What runs have in common is sent once and named by its number: one slot has the same payload for many agents. Sent out
 * in full for every run, all this took half as long again.
 */
async function storeRuns(db: Transaction<Tables>, batch: RunOfSlot[]): Promise<void> {
  const slots = createNumbering<PlannedSlot>();
  const agentIds = createNumbering<string>();
  const payloads = createNumbering<string>();
  const slotNumbers = batch.map(({ slot }) => slots.numberOf(slot));
  const agentNumbers = batch.map(({ run }) => agentIds.numberOf(run.agentId));
  const payloadNumbers = batch.map(({ run }) => payloads.numberOf(run.payload));
  const { items } = slots;
  await sql`
    insert into probe_run (task_id, scheduled_at, agent_id, chunk, payload, due_at, expires_at)
    select slot.task_id, ${fromMs('slot.scheduled_at')}, agent.agent_id, run.chunk, payload.payload,
      ${fromMs('slot.scheduled_at + run.delay')}, ${fromMs('slot.expires_at')}
    from unnest(
      ${formatNumbers(slotNumbers)}::integer[],
      ${formatNumbers(agentNumbers)}::integer[],
      ${formatNumbers(payloadNumbers)}::integer[],
      ${formatNumbers(batch.map(({ run }) => run.chunk))}::integer[],
      ${formatNumbers(batch.map(({ run }) => run.delayMs))}::integer[]
    ) as run (slot_n, agent_n, payload_n, chunk, delay)
    join unnest(
      ${formatNumbers(items.map(({ taskId }) => taskId))}::bigint[],
      ${formatNumbers(items.map(({ scheduledAt }) => scheduledAt))}::float8[],
      ${formatNumbers(items.map(({ expiresAt }) => expiresAt))}::float8[]
    ) with ordinality as slot (task_id, scheduled_at, expires_at, n) on slot.n = slot_n
    join unnest(${agentIds.items}::text[]) with ordinality as agent (agent_id, n) on agent.n = agent_n
    join jsonb_array_elements(${`[${payloads.items.join(',')}]`}::jsonb) with ordinality as payload (payload, n)
      on payload.n = payload_n`.execute(db);
}

/** Numbers different items from 1 on, in the order in which they come. */
function createNumbering<Item>(): { items: Item[]; numberOf(item: Item): number } {
  const items: Item[] = [];
  const numbers = new Map<Item, number>();
  return {
    items,
    numberOf(item) {
      const known = numbers.get(item);
      if (known !== undefined) return known;
      items.push(item);
      numbers.set(item, items.length);
      return items.length;
    },
  };
}
