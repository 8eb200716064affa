import { describe, expect, test } from 'vitest';
import type { LiveAgent } from '../../../services/gateway/agent-directory.ts';
import { planBudget } from '../../../services/gateway/plan-budget.ts';
import { planProbe } from '../../../services/gateway/plan-probe.ts';

function agent(id: string, place: [string, string, string, string], groups: number[] = []): LiveAgent {
  const [country, province, city, carrier] = place;
  return {
    agent_id: id,
    country,
    province,
    city,
    carrier,
    groups,
    resolvers: [`192.0.2.${id.length}`],
    load: { running: 0, waiting: 0, capacity: 1 },
    version: '0',
    session: id,
    state: 'ready',
  };
}

const zhuhai = agent('zhuhai', ['86', '440000', '440400', '电信']);
const beijing = agent('beijing', ['86', '110000', '110100', '联通'], [7]);
const shanghai = agent('shanghai', ['86', '310000', '310100', '移动']);
const agents = [zhuhai, beijing, shanghai];

describe('planProbe', () => {
  const targets = [
    { domain: 'a.example', rtype: 'A' },
    { domain: 'b.example', rtype: 'AAAA' },
  ];

  test('numbers the cells of agent, server, target one after the other', () => {
    const plan = planProbe({ servers: ['1.1.1.1', '8.8.8.8'], targets }, agents, () => ['9.9.9.9'], 100);
    expect(plan.cellCount).toBe(12);
    expect(plan.orders.map(({ firstCell, servers }) => ({ firstCell, servers }))).toEqual([
      { firstCell: 0, servers: ['1.1.1.1', '8.8.8.8'] },
      { firstCell: 4, servers: ['1.1.1.1', '8.8.8.8'] },
      { firstCell: 8, servers: ['1.1.1.1', '8.8.8.8'] },
    ]);
  });

  test('asks the resolvers of the region, else those of the agent, where the request names none', () => {
    const plan = planProbe(
      { servers: [], targets },
      agents,
      ({ city }) => (city === '110100' ? ['9.9.9.9'] : undefined),
      100,
    );
    expect(plan.orders.map(({ servers }) => servers)).toEqual([['192.0.2.6'], ['9.9.9.9'], ['192.0.2.8']]);
  });

  test('keeps one cell per target for an agent without any resolver', () => {
    const bare = { ...zhuhai, resolvers: [] };
    const plan = planProbe({ servers: [], targets }, [bare, beijing], () => undefined, 100);
    expect(plan.orders.map(({ servers, firstCell }) => ({ servers, firstCell }))).toEqual([
      { servers: [], firstCell: 0 },
      { servers: ['192.0.2.7'], firstCell: 2 },
    ]);
    expect(plan.cellCount).toBe(4);
  });

  test('refuses one cell more than allowed and says both numbers', () => {
    const plan = () => planProbe({ servers: ['1.1.1.1'], targets }, agents, () => undefined, 5);
    expect(plan).toThrowError(
      expect.objectContaining({ code: 'PLAN_TOO_LARGE', details: { cells: 6, limit: 5 } }),
    );
    expect(planProbe({ servers: ['1.1.1.1'], targets }, agents, () => undefined, 6).cellCount).toBe(6);
  });
});

describe('planBudget', () => {
  test.each([
    [1000, 0, 1],
    [3000, 5, 1000],
    [60_000, 100, 1],
  ])(
    'gives the agents less than the gather, and the gather less than %d ms',
    (timeoutMs, elapsedMs, cells) => {
      const { gatherMs, agentMs } = planBudget(timeoutMs, elapsedMs, cells);
      expect(gatherMs).toBeLessThan(timeoutMs);
      expect(elapsedMs + agentMs).toBeLessThan(gatherMs);
      expect(agentMs).toBeGreaterThan(timeoutMs * 0.8);
    },
  );

  test('tells when no time is left to ask anybody', () => {
    expect(planBudget(1000, 5000, 1).agentMs).toBeLessThan(1);
  });

  test('keeps half of the time for the agents however much is in flight', () => {
    expect(planBudget(1000, 0, 200_000).agentMs).toBeGreaterThanOrEqual(500);
  });
});
