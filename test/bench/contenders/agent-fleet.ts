// Agents, several to a process: a process for each would measure the scheduler of the system.
import { z } from 'zod';
import type { BenchContext } from '../harness/bench.ts';

export const fleetInputSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('start'), natsUrl: z.string(), ids: z.array(z.string()) }),
  z.object({ kind: z.literal('take') }),
]);

const agentTimesSchema = z.object({
  id: z.string(),
  /** From the arrival of each order to the last of its outcomes handed to the bus. */
  ordersMs: z.array(z.number()),
});
export type AgentTimes = z.infer<typeof agentTimesSchema>;

export type AgentFleet = {
  /** Of the orders since the last time. */
  takeTimes(): Promise<AgentTimes[]>;
};

/** Starts the agents in so many processes; all of them take orders when it resolves. */
export async function startAgents(
  { platform, startWorker }: Pick<BenchContext, 'platform' | 'startWorker'>,
  ids: readonly string[],
  processes: number,
): Promise<AgentFleet> {
  const natsUrl = await platform.natsUrl();
  const workers = await Promise.all(Array.from({ length: processes }, () => startWorker('run-agents')));
  for (const [index, worker] of workers.entries()) {
    const own = ids.filter((_, position) => position % processes === index);
    await worker.run(
      { kind: 'start', natsUrl, ids: own } satisfies z.input<typeof fleetInputSchema>,
      z.unknown(),
    );
  }
  return {
    async takeTimes() {
      const input: z.input<typeof fleetInputSchema> = { kind: 'take' };
      const times = await Promise.all(workers.map((worker) => worker.run(input, z.array(agentTimesSchema))));
      return times.flat();
    },
  };
}
