import { expect, test } from 'vitest';
import { pathLinkSchema } from '../../../../../contracts/path-request.ts';
import { roundAmount, scaleAmount } from '../../../../../services/job/paths/policies/amounts.ts';
import { createBooks, linkDecimals } from '../../../../../services/job/paths/policies/bandwidths.ts';
import { sharesOf } from '../../../../../services/job/paths/policies/way-shares.ts';
import { createSeededRandom } from '../../../../helpers/seeded-random.ts';
import { hopsOf, linkOf } from './run-computation.ts';

function classesOf(amounts: Record<string, number>) {
  return Object.entries(amounts).map(([name, amount]) => ({
    class: name,
    bandwidth_available: amount,
    bandwidth_reserve: Math.abs(2 * amount),
  }));
}

const links = [
  linkOf('A>B', { bandwidth: 1, qos_class: classesOf({ EF: 0.3, AF: 10 }) }),
  linkOf('B>C', { bandwidth: -1, qos_class: classesOf({ EF: -5 }) }),
].map((link) => pathLinkSchema.parse(link));
const decimals = linkDecimals(links);
const both = [
  { link: 0, part: 1 },
  { link: 1, part: 1 },
];

test('has for each class what links have for it, and for none what they have in all', () => {
  const books = createBooks({ links }, 'bandwidth_available', decimals);
  expect([...books.left('EF')]).toEqual([0.3, 0]);
  expect([...books.left('AF')]).toEqual([10, 0]);
  expect([...books.left('BE')]).toEqual([0, 0]);
  expect([...books.left(null)]).toEqual([1, -1]);
  expect([...createBooks({ links }, 'bandwidth_reserve', decimals).left('EF')]).toEqual([0.6, 10]);
});

test('takes from one class what no other one misses', () => {
  const books = createBooks({ links }, 'bandwidth_available', decimals);
  books.take('AF', both, 4);
  expect([...books.left('AF')]).toEqual([6, 0]);
  expect([...books.left('EF')]).toEqual([0.3, 0]);
  expect([...books.left(undefined)]).toEqual([1, -1]);
  books.take(null, both, 1);
  expect([...books.left(null)]).toEqual([0, -1]);
});

test('has nothing left before what is promised too much is made up for', () => {
  const books = createBooks({ links }, 'bandwidth_available', decimals);
  books.giveBack('EF', both, 4);
  expect([...books.left('EF')]).toEqual([4.3, 0]);
  books.giveBack('EF', both, 4);
  expect([...books.left('EF')]).toEqual([8.3, 3]);
});

test('has room for three tenths in three tenths', () => {
  const books = createBooks({ links }, 'bandwidth_available', decimals);
  for (const expected of [0.2, 0.1, 0]) {
    books.take('EF', both.slice(0, 1), 0.1);
    expect(books.left('EF')[0]).toBe(expected);
  }
});

test('has what it had before, exactly, once all is given back in any order', () => {
  const random = createSeededRandom(3);
  for (let run = 0; run < 200; run += 1) {
    const scale = 10 ** (random.below(13) - 3);
    const drawn = Array.from({ length: 5 }, (_, index) => {
      const bandwidth = (random.below(1000) / 7) * scale;
      return pathLinkSchema.parse({ ...linkOf('A>B'), id: `L${index}`, bandwidth });
    });
    const givenBack = new Map(drawn.map((_, link) => [link, 1000 * scale]));
    const decimals = linkDecimals(drawn, givenBack);
    const books = createBooks({ links: drawn }, 'bandwidth_available', decimals);
    const start = [...books.left(null)];
    const taken = Array.from({ length: 20 }, () => ({
      shares: drawn.map((_, link) => ({ link, part: (1 + random.below(9)) / 9 })),
      amount: (random.below(1000) / 3) * scale,
      turn: random.below(1000),
    }));
    for (const { shares, amount } of taken) books.take(null, shares, amount);
    for (const { shares, amount } of taken.sort((one, other) => one.turn - other.turn)) {
      books.giveBack(null, shares, amount);
    }
    expect([...books.left(null)]).toEqual(start);
  }
});

test('divides each segment among its equal-cost paths', () => {
  const linkIndex = new Map(
    ['A>B', 'A>C', 'B>D', 'C>D', 'A>E', 'E>D', 'D>F'].map((id, index) => [id, index]),
  );
  const way = [['ABD', 'ACD', 'AED'].map(hopsOf), [hopsOf('DF')]];
  const third = 1 / 3;
  expect(sharesOf({ linkIndex }, way)).toEqual(
    [0, 2, 1, 3, 4, 5].map((link) => ({ link, part: third })).concat({ link: 6, part: 1 }),
  );
  const tenfold = Array.from({ length: 10 }, () => hopsOf('DF'));
  expect(sharesOf({ linkIndex }, [tenfold])).toEqual([{ link: 6, part: 1 }]);
  expect(sharesOf({ linkIndex }, [])).toEqual([]);
});

test('rounds noise away and leaves whole numbers alone', () => {
  expect(scaleAmount(0.1, 3)).toBe(0.3);
  expect(scaleAmount(1e15, 1000)).toBe(1e18);
  expect(scaleAmount(10, 0)).toBe(0);
  expect(roundAmount(0.30000000000000004 - 0.3, 14)).toBe(0);
  expect(roundAmount(-1e-17, 14)).toBe(0);
  expect(roundAmount(123_456_789_012_345, 0)).toBe(123_456_789_012_345);
});
