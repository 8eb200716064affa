// Runs the role probe_agent on nodes through the dispatch service, batch by batch.
import { randomUUID } from 'node:crypto';
import type { CommandOptions, CommandResult } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatDocumentJson } from '../format-json.ts';
import type { RollOutRequest } from './agents-arguments.ts';
import type { DispatchCaller } from './call-dispatch.ts';
import { followRun } from './follow-run.ts';
import type { PlannedNode } from './node-plan.ts';
import { type NodeOutcome, readOutcomes } from './read-run.ts';
import { renderOutcomes } from './render-outcomes.ts';
import { describeNodes, type RoleVariables } from './role-variables.ts';

export type RollOutParts = Pick<CommandOptions, 'output' | 'progress' | 'write'> & {
  caller: DispatchCaller;
  isJson: boolean;
};

const role = 'probe_agent';

/**
 * A batch follows when the one before it went well on every node: what is wrong with a release or with its settings
 * reaches one batch only. Throws `FailedCall`.
 */
export async function rollOut(
  request: RollOutRequest,
  { nodes, variables }: { nodes: readonly PlannedNode[]; variables: RoleVariables },
  parts: RollOutParts,
): Promise<CommandResult> {
  const { caller, isJson, output, write } = parts;
  const runs: number[] = [];
  const outcomes: NodeOutcome[] = [];
  for (let start = 0; start < nodes.length; start += request.batch) {
    const batch = nodes.slice(start, start + request.batch);
    const id = await caller.run({
      nodes: batch.map(({ node }) => node),
      user: request.user,
      name: `agents_${request.change}_${randomUUID()}`,
      content: [role],
      params: { ...variables.params, ...describeNodes(batch) },
      secrets: variables.secrets,
      fork_num: Math.min(request.forks, batch.length),
    });
    runs.push(id);
    const hint = `npm run agents -- follow ${id}, or cancel ${id}`;
    if (!isJson) await write('stderr', `agents: run ${id} goes on after Ctrl-C: ${hint}\n`);
    outcomes.push(
      ...(await follow(id, `${request.change}, ${start + batch.length} of ${nodes.length} nodes`, parts)),
    );
    if (!request.isKeepingOn && outcomes.some(({ hasFailed }) => hasFailed)) break;
  }

  const untouched = nodes.slice(outcomes.length).map(({ node }) => node);
  const hasFailed = untouched.length > 0 || outcomes.some((outcome) => outcome.hasFailed);
  const rest = untouched.length === 0 ? '' : `agents: not begun on ${untouched.join(', ')}\n`;
  if (!isJson && rest !== '') await write('stderr', rest);
  return {
    exitCode: hasFailed ? exitCodes.partFailed : exitCodes.done,
    stdout: isJson
      ? formatDocumentJson(
          { runs, nodes: outcomes.map(describeOutcome), not_begun: untouched },
          output.isTerminal,
        )
      : renderOutcomes(outcomes, output),
    stderr: '',
  };
}

/** A run that there is already, to its end. */
export async function followToEnd(id: number, parts: RollOutParts): Promise<CommandResult> {
  const outcomes = await follow(id, `run ${id}`, parts);
  return showRun(id, outcomes, parts);
}

/** Stops a run on all of its nodes; that it ended before is no fault. */
export async function cancelRun(id: number, parts: RollOutParts): Promise<CommandResult> {
  const { caller, progress } = parts;
  progress.start('stopping');
  await caller.cancel(id).finally(() => progress.stop());
  const outcomes = readOutcomes(await caller.check(id));
  return { ...showRun(id, outcomes, parts), exitCode: exitCodes.done };
}

function showRun(
  id: number,
  outcomes: readonly NodeOutcome[],
  { isJson, output }: RollOutParts,
): CommandResult {
  return {
    exitCode: outcomes.some(({ hasFailed }) => hasFailed) ? exitCodes.partFailed : exitCodes.done,
    stdout: isJson
      ? formatDocumentJson(
          { runs: [id], nodes: outcomes.map(describeOutcome), not_begun: [] },
          output.isTerminal,
        )
      : renderOutcomes(outcomes, output),
    stderr: '',
  };
}

async function follow(
  id: number,
  label: string,
  { caller, isJson, progress, write }: RollOutParts,
): Promise<NodeOutcome[]> {
  const say = async (line: string): Promise<void> => {
    if (!isJson) await write('stderr', line);
  };
  progress.start(label);
  try {
    return readOutcomes(await followRun(id, caller, say));
  } finally {
    progress.stop();
  }
}

function describeOutcome({ node, result, agent, reason }: NodeOutcome): Record<string, unknown> {
  return { node, result, agent: agent ?? null, reason: reason ?? null };
}
