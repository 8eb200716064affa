// Contenders in turn, and the figures that come of their rounds.
import type { Figure } from './bench.ts';
import { median, spreadOf } from './statistics.ts';

/**
 * Runs each contender once a round, `rounds` times, every other round backwards: what the machine does meanwhile meets
 * all of them alike.
 */
export async function takeTurns(
  rounds: number,
  contenders: ((round: number) => Promise<void>)[],
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (const run of round % 2 === 0 ? contenders : contenders.toReversed()) await run(round);
  }
}

/** What is to be reached: a bound of our own value, of the ratio, or of what ours is above the other. */
export type Target = { of: 'ours' | 'ratio' | 'difference' } & ({ atLeast: number } | { atMost: number });

/** A figure of one sample a round. Without `beside` it stands alone. */
export function figureOf(options: {
  metric: string;
  unit: string;
  ours: readonly number[];
  /** In the same rounds. */
  beside?: { peer: string; samples: readonly number[] } | undefined;
  target?: Target;
}): Omit<Figure, 'bench'> {
  const { metric, unit, ours, beside, target } = options;
  const figure = {
    metric,
    ours: median(ours),
    peer: beside?.peer ?? null,
    beside: beside === undefined ? null : median(beside.samples),
    unit,
    ratio: beside === undefined ? null : median(ratiosOf(ours, beside.samples)),
  };
  return {
    ...figure,
    target: target === undefined ? null : describeTarget(target, unit),
    holds: target === undefined ? null : isReached(target, figure),
    rounds: ours.length,
    oursSpread: spreadOf(ours),
    besideSpread: beside === undefined ? null : spreadOf(beside.samples),
  };
}

function ratiosOf(ours: readonly number[], beside: readonly number[]): number[] {
  return ours.map((value, round) => value / (beside[round] ?? Number.NaN));
}

function describeTarget(target: Target, unit: string): string {
  const bound = 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
  if (target.of === 'ratio') return `${bound} ×`;
  return target.of === 'ours' ? `${bound} ${unit}` : `${bound} ${unit} more`;
}

function isReached(
  target: Target,
  { ours, beside, ratio }: Pick<Figure, 'ours' | 'beside' | 'ratio'>,
): boolean {
  const values = { ours, ratio, difference: beside === null ? null : ours - beside };
  const value = values[target.of];
  // A ratio to nothing reaches nothing.
  if (value === null) return false;
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
}
