// The books of a computation: what bandwidth is left on each link for each class, and what is taken of it.
import type { PathLink } from '../../../../contracts/path-request.ts';
import type { Topology } from '../network/topology.ts';
import { decimalsFor, roundAmount } from './amounts.ts';
import type { Share } from './way-shares.ts';

/** Policies without a class share the bandwidth of the links itself. */
export type ClassName = string | null | undefined;

/** What a class starts with on each link that has it. */
export type ClassAmount = 'bandwidth_reserve' | 'bandwidth_available';

export type Books = {
  /** By link: what is left for the class, never below 0; -1 where it is not known. Holds until the next call. */
  left(className: ClassName): Float64Array;
  take(className: ClassName, shares: readonly Share[], amount: number): void;
  giveBack(className: ClassName, shares: readonly Share[], amount: number): void;
};

/** By link, which has it: an amount may be below 0 where more was promised than there is. */
type Book = Map<number, number>;

const unknown = -1;
/** Classes that have an array at the same time: they are as long as there are links. */
const maxShown = 16;

/** By link: its bandwidth, for policies that reserve none of it; -1 where it is not known. */
export function linkBandwidths(links: readonly PathLink[]): Float64Array {
  return Float64Array.from(links, ({ bandwidth }) => bandwidth);
}

/**
 * How many decimals amounts have on each link. What is taken of a link is no more than it has; `givenBack` has the
 * largest amount that it may get besides, by link. Amounts that never come to a link do not count: they would coarsen
 * what is left on it.
 */
export function linkDecimals(
  links: readonly PathLink[],
  givenBack: ReadonlyMap<number, number> = new Map(),
): Uint8Array {
  return Uint8Array.from(links, ({ bandwidth, traffic_flow, qos_class }, link) => {
    let size = Math.max(givenBack.get(link) ?? 0, bandwidth, traffic_flow);
    for (const { bandwidth_available, bandwidth_reserve } of qos_class) {
      size = Math.max(size, Math.abs(bandwidth_available), bandwidth_reserve);
    }
    return decimalsFor(size);
  });
}

/**
 * Books that are as the request has them. What was taken and is given back leaves exactly what there was before. Of
 * each class only the amounts that it has are kept, for requests of many links and many classes.
 */
export function createBooks(
  { links }: Pick<Topology, 'links'>,
  classAmount: ClassAmount,
  decimals: Uint8Array,
): Books {
  const bookOf = openBooks(links, classAmount, decimals);
  const shown = new Map<Book, Float64Array>();

  const open = (className: ClassName): Book => {
    const book = bookOf.get(className ?? undefined) ?? new Map();
    bookOf.set(className ?? undefined, book);
    return book;
  };
  const change = (className: ClassName, shares: readonly Share[], amount: number): void => {
    const book = open(className);
    const left = shown.get(book);
    for (const { link, part } of shares) {
      const before = book.get(link) ?? 0;
      if (before === unknownAmount) continue;
      const places = decimals[link] as number;
      const after = roundAmount(before + roundAmount(amount * part, places), places);
      book.set(link, after);
      if (left !== undefined) left[link] = Math.max(0, after);
    }
  };
  return {
    left(className) {
      const book = open(className);
      const left = shown.get(book) ?? new Float64Array(links.length);
      if (shown.has(book)) return left;
      for (const [link, amount] of book)
        left[link] = amount === unknownAmount ? unknown : Math.max(0, amount);
      if (shown.size === maxShown) shown.clear();
      shown.set(book, left);
      return left;
    },
    take: (className, shares, amount) => change(className, shares, -amount),
    giveBack: (className, shares, amount) => change(className, shares, amount),
  };
}

/** Not -1, which an amount may be. */
const unknownAmount = Number.POSITIVE_INFINITY;

function openBooks(
  links: readonly PathLink[],
  classAmount: ClassAmount,
  decimals: Uint8Array,
): Map<string | undefined, Book> {
  const whole: Book = new Map();
  const bookOf = new Map<string | undefined, Book>([[undefined, whole]]);
  for (const [link, { bandwidth, qos_class }] of links.entries()) {
    const places = decimals[link] as number;
    whole.set(link, bandwidth === unknown ? unknownAmount : roundAmount(bandwidth, places));
    for (const given of qos_class) {
      const book = bookOf.get(given.class) ?? new Map<number, number>();
      bookOf.set(given.class, book.set(link, roundAmount(given[classAmount], places)));
    }
  }
  return bookOf;
}
