import { describe, expect, test } from 'vitest';
import { planNodes, readPlan } from '../../../../services/cli/agents/node-plan.ts';

const zhuhai = { country: '86', province: '440000', city: '440400', carrier: '电信' };
const every = { region: undefined, idPrefix: undefined };
const plan = `regions:
  - region: 86,440000,440400,电信
    groups: [1]
    resolvers: [1.1.1.1]
    nodes: [10.0.0.1, { node: "10.0.0.2:2222", id: special, metrics_port: 0 }]
  - region: [86, 110000, 110100, Some Carrier]
    nodes: ["2001:db8::1"]
`;

describe('nodes of the command line', () => {
  test('have ids that say where they are', () => {
    const { nodes, faults } = planNodes(['10.0.0.1', '10.0.0.1:2222', '[2001:db8::1]:22'], {
      ...every,
      region: zhuhai,
    });
    expect(faults).toEqual([]);
    expect(nodes.map(({ node, settings }) => [node, settings.id])).toEqual([
      ['10.0.0.1', 'agent-440400-ct-10-0-0-1'],
      ['10.0.0.1:2222', 'agent-440400-ct-10-0-0-1-2222'],
      ['2001:db8::1', 'agent-440400-ct-2001-db8--1'],
    ]);
  });

  test('have the prefix that is asked for', () => {
    const { nodes } = planNodes(['10.0.0.1'], { region: zhuhai, idPrefix: 'mine' });
    expect(nodes).toEqual([{ node: '10.0.0.1', settings: { id: 'mine-10-0-0-1', ...zhuhai } }]);
  });

  test.each([
    [['host.example'], '--nodes host.example: expected an IP address, with or without a port'],
    [['10.0.0.1', '10.0.0.1:22'], '10.0.0.1: is there more than once'],
  ])('%j are refused', (texts, fault) => {
    expect(planNodes(texts, every).faults).toEqual([fault]);
  });
});

describe('a plan', () => {
  test('gives each node the settings of its region and its own', () => {
    const { nodes, faults } = readPlan(plan, every);
    expect(faults).toEqual([]);
    expect(nodes.slice(0, 2)).toEqual([
      {
        node: '10.0.0.1',
        settings: { id: 'agent-440400-ct-10-0-0-1', ...zhuhai, groups: [1], resolvers: ['1.1.1.1'] },
      },
      {
        node: '10.0.0.2:2222',
        settings: { id: 'special', ...zhuhai, groups: [1], resolvers: ['1.1.1.1'], metrics_port: 0 },
      },
    ]);
    expect(nodes[2]?.settings.id).toMatch(/^agent-110100-[0-9a-f]{6}-2001-db8--1$/);
  });

  test('is cut down to the regions that are asked for', () => {
    const { nodes } = readPlan(plan, { ...every, region: { ...zhuhai, city: '*', carrier: '*' } });
    expect(nodes.map(({ node }) => node)).toEqual(['10.0.0.1', '10.0.0.2:2222']);
  });

  test.each([
    ['regions: [', '--plan: '],
    ['nodes: []', '--plan: regions: '],
    [
      'regions: [{ region: "86,1,2,*", nodes: [10.0.0.1] }]',
      '--plan: regions.0.region.3: a wildcard is not a place',
    ],
    ['regions: [{ region: "86,1,2,x", nodes: [host] }]', '--plan: regions.0.nodes.0: expected an IP address'],
    ['regions: [{ region: "86,1,2,x", nodes: [10.0.0.1], group: 1 }]', '--plan: regions.0: Unrecognized key'],
    [
      'regions: [{ region: "86,1,2,x", nodes: [{ node: 10.0.0.1, id: a }, { node: 10.0.0.2, id: a }] }]',
      'two nodes have the agent id a',
    ],
  ])('%s is refused', (text, fault) => {
    const { faults } = readPlan(text, every);
    expect(faults.join('\n')).toContain(fault);
  });

  test('without a region that is asked for is refused', () => {
    const { faults } = readPlan(plan, { ...every, region: { ...zhuhai, country: '1' } });
    expect(faults).toEqual(['--region: no region of the plan lies within it']);
  });
});
