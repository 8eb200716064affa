// One bad item of many must not keep the others from being done.
import { ProbeTaskError } from '../../contracts/errors.ts';

/**
 * For work that failed with `fault` when done for all items at once: does it for halves of them, and halves of those that
 * fail again, until the items at fault are alone; each of these is given up. Throws at once when the database is away.
 * Resolves with what the parts came to.
 */
export async function isolateFault<Item, Result>(
  items: readonly Item[],
  fault: unknown,
  { work, giveUp }: { work: (part: Item[]) => Promise<Result>; giveUp: GiveUp<Item> },
): Promise<Result[]> {
  const [first] = items;
  // UNAVAILABLE, OVERLOADED: no fault of an item.
  if (first === undefined || fault instanceof ProbeTaskError) throw fault;
  if (items.length === 1) {
    await giveUp(first, fault);
    return [];
  }
  const middle = Math.ceil(items.length / 2);
  const results: Result[] = [];
  for (const part of [items.slice(0, middle), items.slice(middle)]) {
    try {
      results.push(await work(part));
    } catch (error) {
      results.push(...(await isolateFault(part, error, { work, giveUp })));
    }
  }
  return results;
}

type GiveUp<Item> = (item: Item, fault: unknown) => Promise<void>;
