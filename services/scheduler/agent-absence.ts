// How long an agent may not have been heard of before it is away: longer where it could not be heard of.
import { sessionTermMs } from '../../contracts/agent.ts';

/** After a standstill of the database this long, */
export const standstillMs = 10_000;
/** agents have this long to be heard of again: what they could not send does not count against them. */
export const returnMs = 15_000;
/**
 * Of what was before its first turn a scheduler knows nothing, so it takes that for a standstill of a day: for as long a
 * session is kept. The price: an agent that died within the last day has one run of each task then, which expires.
 */
const unknownMs = 24 * 3600 * 1000;

export type Absence = {
  /** An agent heard of within this time is alive. */
  aliveMs: number;
  /** What is left of the time that agents have to be heard of again; 0 in ordinary operation. */
  returnMs: number;
};

export type AbsenceClock = {
  /** What a turn that begins now goes by. */
  read(): Absence;
  /** A turn reached the database. */
  noteTurn(): void;
  /** Milliseconds since then; Infinity before the first. */
  sinceTurnMs(): number;
};

/** Measures by the turns of one scheduler; `now` in milliseconds. */
export function createAbsenceClock(now: () => number = () => performance.now()): AbsenceClock {
  let turnAt: number | undefined;
  let standstill = { ms: 0, endedAt: -Infinity };

  return {
    read() {
      const at = now();
      const gapMs = turnAt === undefined ? unknownMs : at - turnAt;
      // Until a turn succeeds it goes on, and has ended only now.
      if (gapMs > standstillMs) standstill = { ms: gapMs, endedAt: at };
      const leftMs = Math.max(0, standstill.endedAt + returnMs - at);
      return { aliveMs: sessionTermMs + (leftMs > 0 ? standstill.ms + returnMs : 0), returnMs: leftMs };
    },
    noteTurn() {
      turnAt = now();
    },
    sinceTurnMs: () => (turnAt === undefined ? Infinity : now() - turnAt),
  };
}
