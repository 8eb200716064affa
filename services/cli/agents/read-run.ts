// The state of a run → what became of the agent on each of its nodes. Pure.
import { z } from 'zod';
import {
  type DispatchStatus,
  type DispatchTaskState,
  dispatchStatuses,
} from '../../../contracts/dispatch.ts';

/** What the agent's own script says of it. */
const agentSchema = z.object({
  changed: z.boolean(),
  state: z.string(),
  agent: z.string().optional(),
  place: z.array(z.string()).optional(),
  release: z.string().optional(),
});
export type AgentReport = z.infer<typeof agentSchema>;

export type NodeOutcome = {
  node: string;
  /** `waiting`, `running`, … as the statuses of a run. */
  result: string;
  isOver: boolean;
  hasFailed: boolean;
  agent: AgentReport | undefined;
  /** What failed. */
  reason: string | undefined;
};

const stepSchema = z.object({
  host: z.string(),
  task: z.string(),
  result: z.string(),
  stdout: z.string().optional(),
  stderr: z.string().optional(),
  msg: z.string().optional(),
});
const names = new Map<number, string>(
  Object.entries(dispatchStatuses).map(([name, status]) => [status, name]),
);

export function isRunOver(status: number): boolean {
  return status !== dispatchStatuses.waiting && status !== dispatchStatuses.running;
}

function nameStatus(status: number): string {
  return names.get(status) ?? String(status);
}

export function readOutcomes({ node_results: nodes, log }: DispatchTaskState): NodeOutcome[] {
  const steps = readSteps(log);
  return nodes.map(({ node, status, err }) => {
    const own = steps.filter(({ host }) => host === node);
    const failed = own.findLast(({ result }) => result === 'failed' || result === 'unreachable');
    const hasFailed = isRunOver(status) && status !== succeeded;
    return {
      node,
      result: nameStatus(status),
      isOver: isRunOver(status),
      hasFailed,
      agent: own.map(({ stdout }) => readReport(stdout)).findLast((report) => report !== undefined),
      reason: hasFailed ? describeFailure(failed, err) : undefined,
    };
  });
}

const succeeded: DispatchStatus = dispatchStatuses.succeeded;

function readSteps(log: string): z.infer<typeof stepSchema>[] {
  const entries: unknown = JSON.parse(log);
  return (Array.isArray(entries) ? entries : []).flatMap((entry) => {
    const parsed = stepSchema.safeParse(entry);
    return parsed.success ? [parsed.data] : [];
  });
}

function readReport(stdout: string | undefined): AgentReport | undefined {
  const line = stdout?.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) return undefined;
  try {
    return agentSchema.safeParse(JSON.parse(line)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The last line of standard error is the conclusion of the script; the lines before it are the agent's last words. */
function describeFailure(
  step: z.infer<typeof stepSchema> | undefined,
  err: string | null,
): string | undefined {
  const said = step?.stderr?.trim() || step?.msg?.trim() || err || undefined;
  return said?.split('\n').slice(-maxReasonLines).join('\n');
}

// What the script tells of the agent's log, and its conclusion: the cause of a crash stands above a stack of calls.
const maxReasonLines = 21;
