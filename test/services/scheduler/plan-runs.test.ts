// What an agent is to run for a slot: every cell once, in runs of bounded size, and a reason for what is left out.
import { describe, expect, test } from 'vitest';
import { maxRunCells, type RunPayload, runPayloadSchema } from '../../../contracts/run.ts';
import { createResolverLookup } from '../../../contracts/select-agents.ts';
import { jitterOf } from '../../../services/scheduler/jitter.ts';
import {
  cutGrid,
  type Definitions,
  type KnownAgent,
  type PlannedTask,
  planRuns,
  type RunPlan,
} from '../../../services/scheduler/plan-runs.ts';
import { createSeededRandom } from '../../helpers/seeded-random.ts';

/** The numbers of a part's cells, with what each of them asks. */
function cellsOf({ servers, targets, first_cell, stride }: RunPayload): [number, string][] {
  return servers.flatMap((server, s) =>
    targets.map(({ domain }, t): [number, string] => [first_cell + s * stride + t, `${server} ${domain}`]),
  );
}

function gridOf(serverCount: number, targetCount: number) {
  return {
    servers: Array.from({ length: serverCount }, (_, index) => `s${index}`),
    targets: Array.from({ length: targetCount }, (_, index) => ({ domain: `d${index}`, rtype: 'A' })),
  };
}

describe('cutGrid', () => {
  const random = createSeededRandom(3);
  const sizes = [
    [1, 1],
    [1, 100],
    [1, 101],
    [100, 1],
    [101, 1],
    [101, 101],
    [99, 2],
    [250, 3],
    [3, 5000],
    ...Array.from({ length: 15 }, () => [1 + random.below(150), 1 + random.below(150)]),
  ];

  test.each(sizes)(
    'numbers the cells of %d servers and %d targets, each exactly once',
    (servers, targets) => {
      const grid = gridOf(servers ?? 1, targets ?? 1);
      const parts = cutGrid(grid);
      expect(Math.max(...parts.map((part) => part.servers.length * part.targets.length))).toBeLessThanOrEqual(
        maxRunCells,
      );
      const expected = grid.servers.flatMap((server) =>
        grid.targets.map(({ domain }) => `${server} ${domain}`),
      );
      const numbered = parts.flatMap(cellsOf).sort(([one], [other]) => one - other);
      expect(numbered).toHaveLength(expected.length);
      const wrong = numbered.find(([cell, asked], index) => cell !== index || asked !== expected[index]);
      expect(wrong).toBeUndefined();
    },
  );

  test('cuts no more parts than it has to for one server', () => {
    expect(cutGrid(gridOf(1, 5000))).toHaveLength(50);
    expect(cutGrid(gridOf(4, 25))).toHaveLength(1);
  });

  test('makes no part of a grid without targets', () => {
    expect(cutGrid(gridOf(3, 0))).toEqual([]);
  });
});

const guangdong = { country: '86', province: '440000', city: '440400', carrier: '电信' };
const beijing = { country: '86', province: '110000', city: '110100', carrier: '联通' };

function agent(id: string, fields: Partial<KnownAgent> = {}): KnownAgent {
  return { agent_id: id, ...guangdong, groups: [], resolvers: ['192.0.2.1'], isAlive: true, ...fields };
}

function definitions(fields: Partial<Definitions> = {}): Definitions {
  return {
    agents: [agent('a'), agent('b', beijing)],
    placesByGroup: new Map(),
    resolversOf: () => undefined,
    domainsByGroup: new Map(),
    ...fields,
  };
}

function task(fields: Partial<PlannedTask> = {}): PlannedTask {
  return {
    task_id: '42',
    cycle: 60,
    probe_data: { dns_servers: ['1.1.1.1'] },
    target: [{ type: 'domain', rtype: 'A', data: 'a.example' }],
    group_id: null,
    ...fields,
  };
}

function plan(
  { task: taskFields = {}, ...fields }: { task?: Partial<PlannedTask> } & Partial<Definitions>,
  busy: string[] = [],
  maxCells = 1000,
): RunPlan {
  return planRuns(task(taskFields), definitions(fields), (id) => busy.includes(id), maxCells);
}

function payloadsOf({ runs }: RunPlan, agentId: string): RunPayload[] {
  return runs
    .filter((run) => run.agentId === agentId)
    .map(({ payload }) => runPayloadSchema.parse(JSON.parse(payload)));
}

describe('planRuns', () => {
  test('gives every agent that is alive all cells, each agent at its own moment', () => {
    const { runs, ...rest } = plan({});
    const payload = {
      servers: ['1.1.1.1'],
      targets: [{ domain: 'a.example', rtype: 'A' }],
      first_cell: 0,
      stride: 1,
    };
    expect(rest).toEqual({ agentCount: 2, cellCount: 2, skipped: [] });
    expect(runs.map((run) => ({ ...run, payload: JSON.parse(run.payload) }))).toEqual([
      { agentId: 'a', chunk: 0, delayMs: jitterOf('42', 'a', 60_000), payload },
      { agentId: 'b', chunk: 0, delayMs: jitterOf('42', 'b', 60_000), payload },
    ]);
  });

  test('cuts a large domain group into runs with numbers of their own', () => {
    const domains = Array.from({ length: 5000 }, (_, index) => `n${index}.example`);
    const target = [
      { type: 'domain' as const, rtype: 'A', data: 'first.example' },
      { type: 'domain_group' as const, rtype: 'AAAA', domain_group_id: 7 },
      { type: 'domain_group' as const, rtype: 'A', domain_group_id: 8 },
      { type: 'domain_group' as const, rtype: 'MX', domain_group_id: 8 },
    ];
    const planned = plan({ task: { target }, domainsByGroup: new Map([[7, domains]]) }, [], 10_002);
    expect(planned).toMatchObject({
      agentCount: 2,
      cellCount: 10_002,
      skipped: [{ reason: 'NO_DOMAIN_GROUP', count: 1, ids: ['8'] }],
    });
    for (const id of ['a', 'b']) {
      const payloads = payloadsOf(planned, id);
      const cells = payloads.flatMap(cellsOf).map(([cell, asked]) => [cell, asked.slice('1.1.1.1 '.length)]);
      expect(cells).toEqual([[0, 'first.example'], ...domains.map((domain, index) => [index + 1, domain])]);
      expect(payloads.flatMap(({ targets }) => targets.map(({ rtype }) => rtype)).slice(0, 2)).toEqual([
        'A',
        'AAAA',
      ]);
      expect(planned.runs.filter(({ agentId }) => agentId === id).map(({ chunk }) => chunk)).toEqual(
        payloads.map((_, index) => index),
      );
    }
  });

  test('plans nothing for a task whose domain groups are all gone, and says which', () => {
    const target = [{ type: 'domain_group' as const, rtype: 'A', domain_group_id: 8 }];
    expect(plan({ task: { target } })).toEqual({
      runs: [],
      agentCount: 0,
      cellCount: 0,
      skipped: [{ reason: 'NO_DOMAIN_GROUP', count: 1, ids: ['8'] }],
    });
  });

  test('takes the agents of the group, by its places and by their own configuration', () => {
    const agents = [agent('a'), agent('b', beijing), agent('c', { ...beijing, groups: [5] })];
    const placesByGroup = new Map([[5, [{ country: '86', province: '440000', city: '*', carrier: '*' }]]]);
    const { runs, skipped } = plan({ task: { group_id: 5 }, agents, placesByGroup });
    expect(runs.map(({ agentId }) => agentId)).toEqual(['a', 'c']);
    expect(skipped).toEqual([]);
  });

  test('says that no agent matches', () => {
    const nothing = {
      runs: [],
      agentCount: 0,
      cellCount: 0,
      skipped: [{ reason: 'NO_AGENTS', count: 0, ids: [] }],
    };
    expect(plan({ task: { group_id: 5 } })).toEqual(nothing);
    expect(plan({ agents: [] })).toEqual(nothing);
  });

  test('leaves out agents that are away or busy, and names them', () => {
    const agents = [
      agent('a'),
      agent('b', { isAlive: false }),
      agent('c'),
      agent('d', { isAlive: false }),
      agent('e'),
    ];
    const { runs, agentCount, skipped } = plan({ agents }, ['c', 'd', 'e']);
    expect(runs.map(({ agentId }) => agentId)).toEqual(['a']);
    expect(agentCount).toBe(1);
    expect(skipped).toEqual([
      { reason: 'AGENT_AWAY', count: 2, ids: ['b', 'd'] },
      { reason: 'OVERLAP', count: 2, ids: ['c', 'e'] },
    ]);
  });

  test('asks the servers of the task, else those of the region, else the agent’s own, else none', () => {
    const resolversOf = createResolverLookup([{ ...beijing, ips: ['192.0.2.53'] }]);
    const agents = [agent('a'), agent('b', beijing), agent('c', { resolvers: [] })];
    const serversOf = (planned: RunPlan) =>
      ['a', 'b', 'c'].map((id) => payloadsOf(planned, id).map(({ servers }) => servers));
    expect(serversOf(plan({ agents, resolversOf }))).toEqual([[['1.1.1.1']], [['1.1.1.1']], [['1.1.1.1']]]);
    const without = plan({ agents, resolversOf, task: { probe_data: { dns_servers: [] } } });
    expect(serversOf(without)).toEqual([[['192.0.2.1']], [['192.0.2.53']], [['']]]);
    expect(without.cellCount).toBe(3);
  });

  test('names the first hundred of those that are left out, and counts them all', () => {
    const agents = Array.from({ length: 3000 }, (_, index) => agent(`a${index}`, { isAlive: false }));
    expect(plan({ agents }).skipped).toEqual([
      { reason: 'AGENT_AWAY', count: 3000, ids: Array.from({ length: 100 }, (_, index) => `a${index}`) },
    ]);
  });

  test('plans nothing of a slot with more cells than allowed', () => {
    const target = Array.from({ length: 10 }, () => ({
      type: 'domain' as const,
      rtype: 'A',
      data: 'a.example',
    }));
    expect(plan({ task: { target } }, [], 20)).toMatchObject({ cellCount: 20, agentCount: 2, skipped: [] });
    expect(plan({ task: { target } }, [], 19)).toEqual({
      runs: [],
      agentCount: 0,
      cellCount: 0,
      skipped: [{ reason: 'PLAN_TOO_LARGE', count: 0, ids: [] }],
    });
  });

  test('does not write out a hundred million cells to find that they are too many', () => {
    const domains = Array.from({ length: 10_000 }, (_, index) => `n${index}.example`);
    const target = Array.from({ length: 10_000 }, () => ({
      type: 'domain_group' as const,
      rtype: 'A',
      domain_group_id: 7,
    }));
    const { skipped } = plan({ task: { target }, domainsByGroup: new Map([[7, domains]]) }, [], 500_000);
    expect(skipped).toEqual([{ reason: 'PLAN_TOO_LARGE', count: 0, ids: [] }]);
  });
});
