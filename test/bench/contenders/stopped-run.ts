// A run that is stopped in its midst: how long its caller waits for the reply, and that nothing is left by then.
import { dispatchStatuses } from '../../../contracts/dispatch.ts';
import { waitUntil } from '../../../infra/local-stack/wait-until.ts';
import type { SshNode } from '../../helpers/ssh-nodes.ts';
import { verify } from '../harness/bench.ts';
import type { DispatchService } from './dispatch-service.ts';

const startLimitMs = 60_000;
/** A time that nothing else sleeps for. */
const sleepS = 31_415;
const tasks = [{ name: 'sleep', shell: `trap '' HUP; sleep ${sleepS}` }];

/** Milliseconds from the request to its reply, of a run whose commands ignore hangups. Throws when anything goes on. */
export async function measureStop(
  dispatch: Pick<DispatchService, 'run' | 'check' | 'stop'>,
  nodes: readonly SshNode[],
): Promise<number> {
  const id = await dispatch.run({ nodes, tasks, params: {}, forks: nodes.length });
  const isAsleep = await waitUntil(
    async () => {
      const counts = await Promise.all(nodes.map(countSleepers));
      return counts.every((count) => count > 0) || null;
    },
    { timeoutMs: startLimitMs },
  );
  verify(isAsleep === true, `the commands of task ${id} did not begin`);
  const startedAt = performance.now();
  await dispatch.stop(id);
  const elapsedMs = performance.now() - startedAt;
  const left = await Promise.all(nodes.map(async (node) => (await node.processes()).length));
  verify(
    left.every((count) => count === 0),
    `processes left on the nodes: ${left.join()}`,
  );
  const { status, err } = await dispatch.check(id);
  verify(status === dispatchStatuses.stopped, `a run that was stopped has status ${status}: ${err}`);
  return elapsedMs;
}

async function countSleepers(node: SshNode): Promise<number> {
  return (await node.processes()).filter(({ cmd }) => cmd.includes(String(sleepS))).length;
}
