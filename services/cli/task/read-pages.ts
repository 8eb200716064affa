// Lists that come page by page, however long they are.
import { FailedCall } from '../call-bus.ts';

/** `nextCursor` is null on the last page. */
export type Page<Item> = { items: Item[]; nextCursor: string | null };

/** `nextCursor` is that of the last page read, which without `keep` is where the list goes on behind the items. */
export type Pages<Item> = Page<Item> & { hasMore: boolean };

const shrinkFactor = 4;

/**
 * Reads pages until there are `limit` items or none are left. A page that does not fit into one message is asked again
 * with fewer items. `keep` chooses among the items. `readPage` throws `FailedCall`.
 */
export async function readPages<Item>(
  readPage: (limit: number, cursor: string | undefined) => Promise<Page<Item>>,
  options: { limit: number; pageSize: number; keep?: (item: Item) => boolean },
): Promise<Pages<Item>> {
  const { limit, pageSize, keep } = options;
  const items: Item[] = [];
  let cursor: string | undefined;
  let size = pageSize;
  while (true) {
    // Those to keep may be few among many: such pages are not cut to what is still missing.
    const page = await readOrShrink(keep === undefined ? Math.min(size, limit - items.length) : size);
    if (page === undefined) continue;
    const kept = keep === undefined ? page.items : page.items.filter(keep);
    const isCut = kept.length > limit - items.length;
    for (const item of kept.slice(0, limit - items.length)) items.push(item);
    const isLast = page.nextCursor === null;
    if (isLast || items.length >= limit)
      return { items, hasMore: isCut || !isLast, nextCursor: page.nextCursor };
    cursor = page.nextCursor ?? undefined;
  }

  /** Undefined when the page was too large: the size is smaller from now on. */
  async function readOrShrink(count: number): Promise<Page<Item> | undefined> {
    try {
      return await readPage(count, cursor);
    } catch (error) {
      const isTooLarge = error instanceof FailedCall && error.error.code === 'PAYLOAD_TOO_LARGE';
      if (!isTooLarge || count <= 1) throw error;
      size = Math.ceil(count / shrinkFactor);
      return undefined;
    }
  }
}
