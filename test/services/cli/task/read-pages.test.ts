import { expect, test } from 'vitest';
import { ProbeTaskError } from '../../../../contracts/errors.ts';
import { FailedCall } from '../../../../services/cli/call-bus.ts';
import { readPages } from '../../../../services/cli/task/read-pages.ts';

/** The numbers below `total` in pages; more than `most` of them do not fit into one message. Notes what it is asked. */
function createList(total: number, most = Number.POSITIVE_INFINITY) {
  const asked: [limit: number, cursor: string | undefined][] = [];
  return {
    asked,
    async readPage(limit: number, cursor: string | undefined) {
      asked.push([limit, cursor]);
      if (limit > most) throw new FailedCall(new ProbeTaskError('PAYLOAD_TOO_LARGE', 'too large'));
      const start = cursor === undefined ? 0 : Number(cursor);
      const end = Math.min(total, start + limit);
      const items = Array.from({ length: end - start }, (_, index) => start + index);
      return { items, nextCursor: end < total ? String(end) : null };
    },
  };
}

const numbersBelow = (count: number) => Array.from({ length: count }, (_, index) => index);

test('reads to the end of the list', async () => {
  const { readPage } = createList(25);
  const pages = await readPages(readPage, { limit: Number.POSITIVE_INFINITY, pageSize: 10 });
  expect(pages).toEqual({ items: numbersBelow(25), nextCursor: null, hasMore: false });
});

test('asks for no more than the limit, and says where the list goes on', async () => {
  const { readPage, asked } = createList(25);
  const pages = await readPages(readPage, { limit: 12, pageSize: 10 });
  expect(pages).toEqual({ items: numbersBelow(12), nextCursor: '12', hasMore: true });
  expect(asked).toEqual([
    [10, undefined],
    [2, '10'],
  ]);
});

test('knows that nothing comes behind a limit that the list just fills', async () => {
  const pages = await readPages(createList(20).readPage, { limit: 20, pageSize: 10 });
  expect(pages).toMatchObject({ nextCursor: null, hasMore: false });
});

test('asks a page that was too large again with fewer items, and the rest likewise', async () => {
  const { readPage, asked } = createList(30, 7);
  const pages = await readPages(readPage, { limit: 100, pageSize: 50 });
  expect(pages.items).toEqual(numbersBelow(30));
  expect(asked.slice(0, 4)).toEqual([
    [50, undefined],
    [13, undefined],
    [4, undefined],
    [4, '4'],
  ]);
});

test('fails when a single item is too large', async () => {
  const { readPage } = createList(30, 0);
  await expect(readPages(readPage, { limit: 100, pageSize: 50 })).rejects.toMatchObject({
    error: { code: 'PAYLOAD_TOO_LARGE' },
  });
});

test('keeps the items that are wanted, from pages of full size', async () => {
  const { readPage, asked } = createList(95);
  const keep = (item: number) => item % 10 === 3;
  const found = await readPages(readPage, { limit: 3, pageSize: 10, keep });
  expect(found).toMatchObject({ items: [3, 13, 23], hasMore: true });
  expect(asked).toHaveLength(3);
  const all = await readPages(readPage, { limit: Number.POSITIVE_INFINITY, pageSize: 40, keep });
  expect(all).toMatchObject({ items: [3, 13, 23, 33, 43, 53, 63, 73, 83, 93], hasMore: false });
});

test('knows of wanted items that the limit leaves out of the last page', async () => {
  const options = { limit: 2, pageSize: 40, keep: (item: number) => item % 10 === 3 };
  expect(await readPages(createList(40).readPage, options)).toMatchObject({ items: [3, 13], hasMore: true });
});
