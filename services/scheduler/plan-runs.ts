// A due task → the runs of its slot, one agent after the other. Pure; touches no database.
import type { PlacePattern } from '../../contracts/place.ts';
import { maxRunCells, type RunPayload } from '../../contracts/run.ts';
import { chooseServers, type ResolverLookup, selectAgents } from '../../contracts/select-agents.ts';
import type { Task } from '../../contracts/task.ts';
import { maxSkippedIds, type SkippedPart, type SkipReason } from '../../contracts/task-slot.ts';
import { jitterOf } from './jitter.ts';

/** An agent that registered itself; `isAlive`: it was heard of lately. */
export type KnownAgent = PlacePattern & {
  agent_id: string;
  groups: number[];
  resolvers: string[];
  isAlive: boolean;
};

/** What tasks refer to, as it is when their runs are made. */
export type Definitions = {
  agents: KnownAgent[];
  placesByGroup: Map<number, PlacePattern[]>;
  resolversOf: ResolverLookup;
  domainsByGroup: Map<number, string[]>;
};

export type PlannedTask = Pick<Task, 'task_id' | 'cycle' | 'probe_data' | 'target' | 'group_id'>;

export type PlannedRun = {
  agentId: string;
  chunk: number;
  /** JSON of a `RunPayload`. */
  payload: string;
  /** Milliseconds after the slot's nominal time. */
  delayMs: number;
};

export type RunPlan = { runs: PlannedRun[]; agentCount: number; cellCount: number; skipped: SkippedPart[] };

type Grid = Pick<RunPayload, 'servers' | 'targets'>;

/**
 * Every matching agent that is alive and not `isBusy` with an earlier slot of the task gets all its cells: the servers of
 * the task, else those of its region, else its own, times all targets. What is left out is told with its reason; more
 * than `maxCells` in all and nothing is planned.
 */
export function planRuns(
  task: PlannedTask,
  definitions: Definitions,
  isBusy: (agentId: string) => boolean,
  maxCells: number,
): RunPlan {
  const { agents, placesByGroup, resolversOf, domainsByGroup } = definitions;
  const places = task.group_id === null ? [] : (placesByGroup.get(task.group_id) ?? []);
  const matching = selectAgents(agents, { group_id: task.group_id, regions: [] }, places);
  const alive = matching.filter(({ isAlive }) => isAlive);
  const free = alive.filter(({ agent_id: id }) => !isBusy(id));
  const { targetCount, missingGroups } = countTargets(task.target, domainsByGroup);
  const skipped = [
    ...(matching.length === 0 ? [skip('NO_AGENTS', [])] : []),
    ...skipMany(
      'AGENT_AWAY',
      matching.filter(({ isAlive }) => !isAlive).map(({ agent_id }) => agent_id),
    ),
    ...skipMany(
      'OVERLAP',
      alive.filter(({ agent_id: id }) => isBusy(id)).map(({ agent_id }) => agent_id),
    ),
    ...skipMany('NO_DOMAIN_GROUP', missingGroups.map(String)),
  ];

  const grids = free.map((agent) => ({
    agent,
    servers: orNone(chooseServers(task.probe_data.dns_servers, agent, resolversOf)),
  }));
  const cellCount = grids.reduce((sum, { servers }) => sum + servers.length * targetCount, 0);
  if (cellCount > maxCells) {
    return { runs: [], agentCount: 0, cellCount: 0, skipped: [...skipped, skip('PLAN_TOO_LARGE', [])] };
  }
  const payloadsOf = createPayloadCache(grids.length === 0 ? [] : expandTargets(task.target, domainsByGroup));
  const runs = grids.flatMap(({ agent, servers }) =>
    payloadsOf(servers).map((payload, chunk) => ({
      agentId: agent.agent_id,
      chunk,
      payload,
      delayMs: jitterOf(task.task_id, agent.agent_id, task.cycle * 1000),
    })),
  );
  return { runs, agentCount: targetCount === 0 ? 0 : grids.length, cellCount, skipped };
}

/** Cuts a grid into parts of at most `maxRunCells` cells; the parts are grids as well. */
export function cutGrid({ servers, targets }: Grid): RunPayload[] {
  const serversEach = Math.min(servers.length, maxRunCells);
  const targetsEach = Math.floor(maxRunCells / serversEach);
  const parts: RunPayload[] = [];
  for (let server = 0; server < servers.length; server += serversEach) {
    for (let target = 0; target < targets.length; target += targetsEach) {
      parts.push({
        servers: servers.slice(server, server + serversEach),
        targets: targets.slice(target, target + targetsEach),
        first_cell: server * targets.length + target,
        stride: targets.length,
      });
    }
  }
  return parts;
}

/** Agents that ask the same servers have the same payloads: a large group is written out once for all of them. */
function createPayloadCache(targets: Grid['targets']): (servers: string[]) => string[] {
  const payloadsByServers = new Map<string, string[]>();
  return (servers) => {
    const key = JSON.stringify(servers);
    const known = payloadsByServers.get(key);
    if (known !== undefined) return known;
    const payloads = cutGrid({ servers, targets }).map((part) => JSON.stringify(part));
    payloadsByServers.set(key, payloads);
    return payloads;
  };
}

/** Without writing them out: the large groups of many targets may be more than fits into memory. */
function countTargets(
  targets: Task['target'],
  domainsByGroup: Map<number, string[]>,
): { targetCount: number; missingGroups: number[] } {
  const missing = new Set<number>();
  let targetCount = 0;
  for (const target of targets) {
    if (target.type === 'domain') targetCount += 1;
    else {
      const domains = domainsByGroup.get(target.domain_group_id);
      if (domains === undefined) missing.add(target.domain_group_id);
      else targetCount += domains.length;
    }
  }
  return { targetCount, missingGroups: [...missing] };
}

function expandTargets(targets: Task['target'], domainsByGroup: Map<number, string[]>): Grid['targets'] {
  return targets.flatMap((target) => {
    if (target.type === 'domain') return [{ domain: target.data, rtype: target.rtype }];
    const domains = domainsByGroup.get(target.domain_group_id) ?? [];
    return domains.map((domain) => ({ domain, rtype: target.rtype }));
  });
}

/** An agent without any resolver still has a cell for every target, and says so in each. */
function orNone(servers: string[]): string[] {
  return servers.length === 0 ? [''] : servers;
}

/** What of a slot was left out, and why. */
export function skip(reason: SkipReason, ids: string[]): SkippedPart {
  return { reason, count: ids.length, ids: ids.slice(0, maxSkippedIds) };
}

function skipMany(reason: SkipReason, ids: string[]): SkippedPart[] {
  return ids.length === 0 ? [] : [skip(reason, ids)];
}
