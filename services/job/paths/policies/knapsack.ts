// Covering an amount with whole candidates: bounds for the search, and what greed makes of it.

/** A policy that crosses a link: what moving it costs, and the traffic (above 0) that the link is then free of. */
export type Candidate = { effort: number; traffic: number };

export type Knapsack = {
  /** Indexes of the candidates by place: least effort for each unit of traffic first, those alike side by side. */
  order: readonly number[];
  /** By place: the next one that is not like it. */
  endOfAlike: Int32Array;
  /** By place: the least effort of a candidate there or behind; Infinity at the end. */
  leastEffort: Float64Array;
  /** The least effort for covering a need from this place on, if parts of candidates would do; Infinity: it is too much. */
  bound(place: number, need: number): number;
  /** Places that cover a need, taken in order but for one; none where they do not. */
  takeGreedily(need: number, avoided?: number): number[];
};

/** Needs that are closer to nothing than `tolerance` are none: sums have binary noise. */
export function createKnapsack(candidates: readonly Candidate[], tolerance: number): Knapsack {
  const entries = [...candidates.entries()].sort(
    ([index, one], [at, other]) =>
      one.effort / one.traffic - other.effort / other.traffic || one.traffic - other.traffic || index - at,
  );
  const sorted = entries.map(([, candidate]) => candidate);
  const traffics = sumsOf(sorted.map(({ traffic }) => traffic));
  const efforts = sumsOf(sorted.map(({ effort }) => effort));
  const leastEffort = new Float64Array(sorted.length + 1).fill(Number.POSITIVE_INFINITY);
  const endOfAlike = new Int32Array(sorted.length);
  for (let place = sorted.length - 1; place >= 0; place -= 1) {
    const { effort, traffic } = sorted[place] as Candidate;
    const next = sorted[place + 1];
    const isAlike = next !== undefined && next.effort === effort && next.traffic === traffic;
    endOfAlike[place] = isAlike ? (endOfAlike[place + 1] as number) : place + 1;
    leastEffort[place] = Math.min(leastEffort[place + 1] as number, effort);
  }
  return {
    order: entries.map(([index]) => index),
    endOfAlike,
    leastEffort,
    bound(place, need) {
      const wanted = (traffics[place] as number) + need;
      const end = firstAtLeast(traffics, wanted - tolerance);
      if (end === undefined) return Number.POSITIVE_INFINITY;
      const { effort, traffic } = sorted[end - 1] as Candidate;
      const whole = (efforts[end] as number) - (efforts[place] as number);
      return whole - effort * Math.max(0, ((traffics[end] as number) - wanted) / traffic);
    },
    takeGreedily: (need, avoided) => takeGreedily(sorted, need - tolerance, avoided),
  };
}

/** What turns out to be too much is left out again, the greatest effort first. */
function takeGreedily(sorted: readonly Candidate[], need: number, avoided: number | undefined): number[] {
  const taken: number[] = [];
  let covered = 0;
  for (let place = 0; covered < need && place < sorted.length; place += 1) {
    if (place === avoided) continue;
    taken.push(place);
    covered += sorted[place]?.traffic ?? 0;
  }
  if (covered < need) return [];
  const isKept = new Set(taken);
  for (const place of taken.toSorted((a, b) => (sorted[b]?.effort ?? 0) - (sorted[a]?.effort ?? 0))) {
    const traffic = sorted[place]?.traffic ?? 0;
    if (covered - traffic < need) continue;
    covered -= traffic;
    isKept.delete(place);
  }
  return taken.filter((place) => isKept.has(place));
}

/** The sum of the first n, by n. */
function sumsOf(values: readonly number[]): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (const [index, value] of values.entries()) sums[index + 1] = (sums[index] as number) + value;
  return sums;
}

/** Where ascending values reach this one. */
function firstAtLeast(values: Float64Array, wanted: number): number | undefined {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low < values.length ? low : undefined;
}
