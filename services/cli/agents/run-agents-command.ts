// The agents command: agents on the machines of regions, rolled out and looked after.
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../../../infra/config.ts';
import { describeError } from '../../../infra/error-text.ts';
import { FailedCall } from '../call-bus.ts';
import type { Command, CommandOptions, CommandResult } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatDocumentJson } from '../format-json.ts';
import { findTakenOptions } from '../npm-options.ts';
import { type CommandParts, reportFailure, reportFaults, runCommand } from '../run-command.ts';
import {
  type AgentsRequest,
  agentsOptions,
  parseAgentsArguments,
  type RollOutRequest,
} from './agents-arguments.ts';
import { agentsHelp } from './agents-help.ts';
import { createDispatchCaller } from './call-dispatch.ts';
import { findDispatch } from './find-dispatch.ts';
import { renderAgents, selectAgents } from './list-agents.ts';
import { type PlannedNode, planNodes, readPlan } from './node-plan.ts';
import { readRoleVariables } from './role-variables.ts';
import { cancelRun, followToEnd, rollOut } from './roll-out.ts';

type ListRequest = Extract<AgentsRequest, { kind: 'list' }>;

/** `npm run agents`. Faults and failures are results too; what else is thrown is a bug. */
export const runAgentsCommand: Command = async (args, options) => {
  const { env, output } = options;
  const taken = findTakenOptions('agents', agentsOptions, env);
  if (taken.length > 0) return reportFaults('agents', taken, false, output);
  const parsed = parseAgentsArguments(args);
  if (parsed.kind === 'help') return { exitCode: exitCodes.done, stdout: agentsHelp, stderr: '' };
  if (parsed.kind === 'faults') return reportFaults('agents', parsed.faults, parsed.isJson, output);
  const { request, isJson } = parsed;
  if (request.kind === 'list') return runCommand(listCommand(request, isJson), args, options);
  try {
    return await callService(request, isJson, options);
  } catch (error) {
    if (error instanceof ConfigError) return reportFaults('agents', error.faults, isJson, output);
    if (error instanceof FailedCall) return reportFailure('agents', error, isJson, output);
    throw error;
  }
};

/** Those that announce themselves on the bus, however they got there. */
function listCommand(request: ListRequest, isJson: boolean): CommandParts<ListRequest> {
  return {
    name: 'agents',
    help: agentsHelp,
    options: agentsOptions,
    parse: () => ({ kind: 'run', request, isJson }),
    waiting: () => ({ label: 'reading' }),
    async carryOut({ region }, { caller, output }) {
      const { reply } = await caller.call('agentGet', {});
      const agents = selectAgents(reply, region);
      const stdout = isJson ? formatDocumentJson(agents, output.isTerminal) : renderAgents(agents, output);
      return { exitCode: exitCodes.done, stdout, stderr: '' };
    },
  };
}

/** Throws `ConfigError` and `FailedCall`. */
async function callService(
  request: Exclude<AgentsRequest, ListRequest>,
  isJson: boolean,
  { env, output, progress, write }: CommandOptions,
): Promise<CommandResult> {
  const address = await findDispatch(request.url, env);
  const caller = createDispatchCaller(address);
  const parts = { caller, isJson, output, progress, write };
  if (request.kind === 'known-run') {
    return request.action === 'cancel' ? cancelRun(request.id, parts) : followToEnd(request.id, parts);
  }

  const plan = await planRollOut(request);
  const variables = await readRoleVariables(request.change, request.settings, env);
  const faults = [...plan.faults, ...variables.faults];
  if (faults.length > 0) throw new ConfigError(faults);
  return rollOut(request, { nodes: plan.nodes, variables }, parts);
}

async function planRollOut(request: RollOutRequest): Promise<{ nodes: PlannedNode[]; faults: string[] }> {
  const { change, planFile, region, nodes, settings } = request;
  const { idPrefix } = settings;
  const planned =
    planFile === undefined
      ? planNodes(nodes, { region, idPrefix })
      : await readPlanFile(planFile, { region, idPrefix });
  // An agent that is there knows who it is.
  if (change === 'deploy') return planned;
  return { ...planned, nodes: planned.nodes.map(({ node }) => ({ node, settings: {} })) };
}

async function readPlanFile(
  path: string,
  options: Parameters<typeof readPlan>[1],
): Promise<ReturnType<typeof readPlan>> {
  try {
    return readPlan(await readFile(path, 'utf8'), options);
  } catch (error) {
    return { nodes: [], faults: [`--plan: ${describeError(error)}`] };
  }
}
