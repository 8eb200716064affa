// What the dispatch channel and a bare ansible-playbook are both given, and whether every step of it was done.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type DispatchNode, type DispatchTaskState, dispatchStatuses } from '../../../contracts/dispatch.ts';
import type { SshNode } from '../../helpers/ssh-nodes.ts';

const fileOctets = 1000;
/** Nodes of one SSH server share their files. */
const file = '/tmp/bench-{{ stamp }}-{{ inventory_hostname }}';

export type BenchTask = { name: string } & Record<string, unknown>;

const write: BenchTask = {
  name: 'write',
  copy: { content: 'x'.repeat(fileOctets), dest: file, mode: '0600' },
};
const count: BenchTask = { name: 'count', shell: `wc -c < '${file}'` };
/** The same work again in every run. */
export const fiveTasks: readonly BenchTask[] = [
  { name: 'look', command: 'uname -n' },
  write,
  { name: 'find', stat: { path: file } },
  count,
  { name: 'remove', file: { path: file, state: 'absent' } },
];
export const twoTasks: readonly BenchTask[] = [write, count];

/** What is run where, with `ansible-playbook` or by the service. */
export type BenchRun = {
  nodes: readonly SshNode[];
  tasks: readonly BenchTask[];
  params: Record<string, string>;
  forks: number;
};

/** On files of its own. */
export function benchRun(
  nodes: readonly SshNode[],
  { forks, tasks }: Pick<BenchRun, 'forks' | 'tasks'>,
): BenchRun {
  return { nodes, tasks, params: { stamp: randomUUID() }, forks };
}

const logSchema = z.array(
  z.looseObject({ host: z.string(), task: z.string(), result: z.string(), stdout: z.string().optional() }),
);

/** What is wrong with such a run that has ended; empty when nothing is. */
export function findRunFaults(
  state: DispatchTaskState,
  { nodes, tasks }: { nodes: readonly DispatchNode[]; tasks: readonly BenchTask[] },
): string[] {
  const faults: string[] = [];
  if (state.status !== dispatchStatuses.succeeded) faults.push(`status ${state.status}: ${state.err}`);
  const results = new Map(state.node_results.map((result) => [result.node, result]));
  const log = Map.groupBy(logSchema.parse(JSON.parse(state.log)), ({ host }) => host);
  for (const { text } of nodes) {
    const result = results.get(text);
    const isWhole = result?.status === dispatchStatuses.succeeded && result.ok === tasks.length;
    if (!isWhole) faults.push(`${text}: status ${result?.status}, ${result?.ok} ok, ${result?.err}`);
    const steps = log.get(text) ?? [];
    const done = steps.filter(({ result }) => result === 'ok').map(({ task }) => task);
    const expected = tasks.map(({ name }) => name);
    if (done.join() !== expected.join()) faults.push(`${text}: steps ${done.join()}`);
    const counted = steps.find(({ task }) => task === count.name)?.stdout;
    if (counted?.trim() !== String(fileOctets)) faults.push(`${text}: counted ${counted}`);
  }
  if (results.size !== nodes.length) faults.push(`${results.size} rows for ${nodes.length} nodes`);
  if (log.size !== nodes.length) faults.push(`${log.size} nodes in the log instead of ${nodes.length}`);
  return faults;
}
