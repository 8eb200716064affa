// What a test starts ends with it, also when it fails.
import { onTestFinished } from 'vitest';

/** Stops the item after the present test, the latest first, and returns it. Not for `beforeAll`. */
export function keepUntilTestEnd<Item extends { stop(): Promise<unknown> }>(item: Item): Item {
  onTestFinished(async () => {
    await item.stop();
  });
  return item;
}
