// A list in one line that holds what fits of it and says how many more there are.
import { cutColumns, displayWidth } from '../terminal/display-width.ts';

/** `a, b +3`: `most` items at most, fewer in a narrower `width` (columns), of the first one at least its start. */
export function listSome(
  items: readonly string[],
  { most, width = Number.POSITIVE_INFINITY }: { most: number; width?: number },
): string {
  const [first] = items;
  if (first === undefined) return '-';
  for (let count = Math.min(most, items.length); count > 1; count -= 1) {
    const text = items.slice(0, count).join(', ') + formatRest(items.length - count);
    if (displayWidth(text) <= width) return text;
  }
  const rest = formatRest(items.length - 1);
  return cutColumns(first, Math.max(1, width - displayWidth(rest))) + rest;
}

function formatRest(count: number): string {
  return count === 0 ? '' : ` +${count}`;
}
