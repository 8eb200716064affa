// Random numbers that can be had again: the same seed gives the same run.

export type SeededRandom = {
  /** 0 up to, not including, `limit`. */
  below(limit: number): number;
  octets(count: number): Buffer;
  /** One of the values, which must not be none. */
  pick<T>(values: readonly T[]): T;
};

/** The mulberry32 generator; `seed` is a 32-bit integer. */
export function createSeededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  return {
    below,
    octets(count) {
      const octets = Buffer.alloc(count);
      for (let index = 0; index < count; index += 1) octets[index] = below(256);
      return octets;
    },
    pick(values) {
      const value = values[below(values.length)];
      if (value === undefined) throw new Error('nothing to pick from');
      return value;
    },
  };
}
