// The items of a batch, each parsed by itself: a fault of one leaves the others alone.
import type { z } from 'zod';
import { type Fault, faultsOf } from '../../../contracts/errors.ts';
import type { EventLoopPauses } from '../../../infra/event-loop-pauses.ts';
import { faultOf, type ItemFault, type ItemKey } from './item-result.ts';

/** `key`: the id and name that were given, as far as they are any. */
export type ReadItem<Item> = { key: ItemKey } & (
  | { item: Item; fault: undefined }
  | { item: undefined; fault: ItemFault }
);

/** In the order of the list. */
export async function readItems<Item>(
  list: readonly unknown[],
  schema: z.ZodType<Item>,
  pauses: EventLoopPauses,
): Promise<ReadItem<Item>[]> {
  const items: ReadItem<Item>[] = [];
  for (const given of list) {
    if (pauses.isDue()) await pauses.take();
    items.push(readItem(given, schema));
  }
  return items;
}

function readItem<Item>(given: unknown, schema: z.ZodType<Item>): ReadItem<Item> {
  const key = { task_id: givenText(given, 'task_id'), name: givenText(given, 'name') };
  const parsed = schema.safeParse(given);
  if (parsed.success) return { key, item: parsed.data, fault: undefined };
  const faults = faultsOf(parsed.error).map((fault) => (isMissing(given, fault) ? missing(fault) : fault));
  return { key, item: undefined, fault: faultOf(faults) };
}

const maxGivenLength = 128;

/** Empty for what is neither text nor number. A cut may leave half of a surrogate pair. */
function givenText(item: unknown, field: string): string {
  const value = fieldOf(item, field);
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? value.slice(0, maxGivenLength).toWellFormed() : '';
}

function isMissing(item: unknown, { path }: Fault): boolean {
  return path !== '' && !path.includes('.') && fieldOf(item, path) == null;
}

function missing({ path }: Fault): Fault {
  return { path, reason: 'is missing' };
}

function fieldOf(item: unknown, field: string): unknown {
  if (typeof item !== 'object' || item === null || !Object.hasOwn(item, field)) return undefined;
  return Reflect.get(item, field);
}
