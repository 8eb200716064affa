// Computations and probes that a test ends.
import type { Compute } from '../../../../services/job/compute/compute-pool.ts';
import type { JobOutcome } from '../../../../services/job/job-outcome.ts';

export type ScriptedCall = {
  /** What was submitted. */
  text: string;
  /** In a process of its own. */
  isApart: boolean;
  signal: AbortSignal;
  end(outcome: JobOutcome): void;
};

export type ScriptedWork = {
  compute: Compute;
  computeApart: Compute;
  probe(octets: Uint8Array, signal: AbortSignal): Promise<JobOutcome>;
  /** All that were ever begun, the oldest first. */
  calls: ScriptedCall[];
  /** Ends all that are not over with `<what was submitted>, done`, and what begins from now on, too. */
  endAll(): void;
};

/** What is cut ends with the signal. */
export function createScriptedWork(): ScriptedWork {
  const calls: ScriptedCall[] = [];
  let isEnding = false;

  function begin(octets: Uint8Array, signal: AbortSignal, isApart: boolean): Promise<JobOutcome> {
    const { promise, resolve } = Promise.withResolvers<JobOutcome>();
    const call: ScriptedCall = { text: new TextDecoder().decode(octets), isApart, signal, end: resolve };
    calls.push(call);
    signal.addEventListener('abort', () => resolve({ ok: false, info: '' }));
    if (isEnding) endWell(call);
    return promise;
  }

  return {
    compute: (_type, octets, { signal }) => begin(octets, signal, false),
    computeApart: (_type, octets, { signal }) => begin(octets, signal, true),
    probe: (octets, signal) => begin(octets, signal, false),
    calls,
    endAll() {
      isEnding = true;
      for (const call of calls) endWell(call);
    },
  };
}

function endWell({ text, end }: ScriptedCall): void {
  end({ ok: true, result: Buffer.from(`${text}, done`) });
}
