// How one `resp_timeout` is shared out. Pure; milliseconds.

export type Budget = {
  /** When the gather ends, counted from the arrival of the request. */
  gatherMs: number;
  /** What the agents are given, counted from the arrival of their order; below 1 there is no time to ask them. */
  agentMs: number;
};

const shapeFloorMs = 20;
/** Parsing, shaping and encoding of one cell's row, generously. */
const shapePerCellMs = 0.02;
const shapeCeilingShare = 0.4;
/** Of one way over the network: agent to gateway, and gateway to caller. */
const wayBackShare = 0.05;
const wayBackFloorMs = 30;
const wayBackCeilingMs = 500;

/**
 * `resp_timeout` covers everything: the reply leaves early enough to be shaped and sent, and the agents end early
 * enough for their outcomes to come back. `elapsedMs` is what has passed since the request arrived. `cellsInFlight` are
 * those of all requests, this one included: their replies may have to be shaped in the same moment.
 */
export function planBudget(respTimeoutMs: number, elapsedMs: number, cellsInFlight: number): Budget {
  const shapeMs = Math.min(shapeFloorMs + cellsInFlight * shapePerCellMs, respTimeoutMs * shapeCeilingShare);
  const wayBackMs = Math.min(wayBackCeilingMs, Math.max(wayBackFloorMs, respTimeoutMs * wayBackShare));
  const gatherMs = respTimeoutMs - shapeMs - wayBackMs;
  return { gatherMs, agentMs: Math.floor(gatherMs - elapsedMs - wayBackMs) };
}
