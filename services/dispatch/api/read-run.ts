// A request to run something: everything about it that can be refused without asking anybody else.
import { type DispatchNode, dispatchRunRequestSchema } from '../../../contracts/dispatch.ts';
import type { Fault } from '../../../contracts/errors.ts';
import type { HttpContext } from '../../../infra/http/register-calls.ts';
import type { NetworkPolicy } from '../../../infra/network/network-policy.ts';
import { readContent } from '../content/read-content.ts';
import { readParams } from '../content/read-params.ts';
import type { Work } from '../content/work.ts';
import type { DispatchApiOptions } from './api-options.ts';
import { type Origin, readHeaders } from './read-headers.ts';
import { faultsIn, isObject, missing, refuseRequest } from './request-faults.ts';

export type RequestedRun = {
  origin: Origin;
  name: string;
  nodes: DispatchNode[];
  user: string;
  forks: number;
  timeoutMs: number;
  work: Work;
};

/** Throws `INVALID_REQUEST`: with all that is missing or of no use, else with what may not be run, or not there. */
export async function readRun(
  body: unknown,
  context: HttpContext,
  { networks, roles, limits }: Pick<DispatchApiOptions, 'networks' | 'roles' | 'limits'>,
): Promise<RequestedRun> {
  const { origin, faults } = readHeaders(context);
  const parsed = dispatchRunRequestSchema.safeParse(body);
  faults.push(...findMissingContent(body));
  if (!parsed.success || faults.length > 0) {
    throw refuseRequest(inOrder([...faults, ...(parsed.success ? [] : faultsIn(parsed.error, body))]));
  }
  const { nodes, name, user, timeout, fork_num: forks, tasks, content: others, tasktype } = parsed.data;
  const content = readContent({ tasks, content: others, tasktype: tasktype ?? null }, await roles());
  const params = readParams(parsed.data.params, parsed.data.secrets);
  const foreign = findForeignNodes(nodes, networks);
  if (!content.ok || !params.ok || foreign.length > 0) {
    const refused = [content, params].flatMap((reading) => (reading.ok ? [] : [reading.reason]));
    throw refuseRequest([...foreign, ...refused.map((reason) => ({ path: '', reason }))]);
  }
  return {
    origin,
    name,
    nodes,
    user: user ?? limits.defaultUser,
    forks: Math.min(Math.max(forks, 1), limits.maxForks),
    timeoutMs: timeout == null ? limits.runTimeoutMs : timeout * 1000,
    work: { content: content.value, ...params.value },
  };
}

/** Either name will do; the fault is told under the one of the document's table. */
function findMissingContent(body: unknown): Fault[] {
  if (!isObject(body)) return [];
  const isGiven = ['tasks', 'content'].some(
    (field) => Object.hasOwn(body, field) && Reflect.get(body, field) !== null,
  );
  return isGiven ? [] : [{ path: 'tasks', reason: missing }];
}

/** As the document lists them; headers stand before them. */
const fields = ['nodes', 'user', 'name', 'tasks', 'params', 'fork_num', 'tasktype', 'timeout', 'secrets'];

function inOrder(faults: readonly Fault[]): Fault[] {
  const rankOf = ({ path }: Fault): number => fields.indexOf(path.split('.')[0] ?? '');
  return faults.toSorted((a, b) => rankOf(a) - rankOf(b));
}

function findForeignNodes(nodes: readonly DispatchNode[], networks: NetworkPolicy): Fault[] {
  return nodes.flatMap(({ text, address }) => {
    const refusal = networks.findRefusal(address);
    return refusal === undefined ? [] : [{ path: 'nodes', reason: `${text} ${refusal}` }];
  });
}
