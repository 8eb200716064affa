// What a bench is, what it says, and what it may use.
import type { Stoppable } from '../../../infra/lifecycle.ts';
import type { TestService } from '../../helpers/processes.ts';
import type { Platform } from './platform.ts';
import type { BenchWorker } from './start-worker.ts';

/** The least and the greatest of all rounds. */
export type Spread = readonly [least: number, greatest: number];

/** One figure of one bench: the medians of ours and of what a user would pick instead, measured in turn in one run. */
export type Figure = {
  bench: string;
  metric: string;
  ours: number;
  /** What stands beside it; null where there is nothing to compare with. */
  peer: string | null;
  beside: number | null;
  unit: string;
  /** The median of the rounds' `ours / beside`. */
  ratio: number | null;
  /** What is to be reached, in words. */
  target: string | null;
  holds: boolean | null;
  rounds: number;
  oursSpread: Spread;
  besideSpread: Spread | null;
};

/** Points of one line; `y` of the same unit for all lines of a curve. */
export type CurveLine = { name: string; points: readonly { x: number; y: number }[] };

/** Is drawn as `<name>.svg`. */
export type Curve = { name: string; title: string; x: string; y: string; lines: readonly CurveLine[] };

export type Findings = {
  figures: Omit<Figure, 'bench'>[];
  curves?: Curve[];
};

export type BenchContext = {
  /** Fewer and shorter rounds: all benches together take about five minutes. */
  isQuick: boolean;
  platform: Platform;
  /** Starts `test/bench/workers/<name>.ts` as a process that ends with the bench. */
  startWorker(name: string): Promise<BenchWorker>;
  /** Starts `services/<name>/main.ts`, which ends with the bench. */
  startService(name: string, env: Record<string, string>): Promise<TestService>;
  /** Stops it at the end of the bench, the latest first; returns it. */
  keep<Item extends Stoppable>(item: Item): Item;
  /** Takes a line for whoever waits: progress, or a peer that is missing and why. */
  report(line: string): void;
};

export type Bench = {
  name: string;
  /** What is measured beside what, in one line. */
  summary: string;
  /** Throws when anything that it counted was not right. */
  run(context: BenchContext): Promise<Findings>;
};

/** What a bench throws when what it counted is not right: its figures mean nothing then. */
export class WrongResult extends Error {}

/** Throws `WrongResult` with the text unless the condition holds. */
export function verify(condition: boolean, text: string): asserts condition {
  if (!condition) throw new WrongResult(text);
}
