import { describe, expect, test } from 'vitest';
import { hopsOf, linkOf, longer, nodesOf, runComputation, shortest } from './run-computation.ts';

const nodes = nodesOf('ABCD');
const ef = (bandwidth_available: number) => ({ qos_class: [{ class: 'EF', bandwidth_available }] });
/** Over B is short and narrow, over C is long and wide. */
const links = [
  linkOf('A>B', { bandwidth: 50, ...ef(5) }),
  linkOf('B>D', { bandwidth: 50, ...ef(5) }),
  linkOf('A>C', { igp: 20, bandwidth: -1, ...ef(10) }),
  linkOf('C>D', { igp: 20, bandwidth: 100, ...ef(10) }),
];
const policy = { id: 'R1', headend: 'A', tailend: 'D', class: 'EF' };
const global = { algorithm: [shortest] };
const noPath = { status: false, data: {}, info: { code: 'NO_PATH' } };

describe('a policy with bandwidth', () => {
  test.each([
    ['as much as the shortest path has', { bandwidth: 5 }, {}, 'ABD', 5],
    ['more than that', { bandwidth: 5.1 }, {}, 'ACD', 10],
    ['more than that by the flow factor', { bandwidth: 4 }, { flow_factor: 1.3 }, 'ACD', 10],
    ['less by the flow factor', { bandwidth: 10 }, { flow_factor: 0.5 }, 'ABD', 5],
    ['none', {}, {}, 'ABD', 5],
    ['as much as the links have, without a class', { bandwidth: 50, class: null }, {}, 'ABD', 50],
    ['more than that, but for one unknown link', { bandwidth: 100, class: null }, {}, 'ACD', -1],
  ])('that asks for %s gets a path that has it', (_, given, factors, letters, max_min_band) => {
    const [reply] = runComputation('bod_pasta', {
      nodes,
      links,
      sr_policy: { ...policy, ...given },
      global: { ...global, ...factors },
    });
    expect(reply).toMatchObject({
      algo_type: 0,
      status: true,
      info: {},
      data: { paths: [hopsOf(letters)], attr: { max_min_band }, time: 0.001 },
    });
  });

  test.each([
    ['too much', { bandwidth: 10.1 }],
    ['something, for a class that no link has', { bandwidth: 1, class: 'AF' }],
  ])('that asks for %s gets none', (_, given) => {
    const request = { nodes, links, sr_policy: { ...policy, ...given }, global };
    expect(runComputation('bod_pasta', request)).toMatchObject([{ algo_type: 0, ...noPath }]);
  });

  test('is answered by each algorithm in turn, from the same state', () => {
    const widest = { ...longer, sorter: 'max_min_band' };
    const given = { nodes, links, sr_policy: { ...policy, bandwidth: 5 } };
    const replies = runComputation('bod_pasta', {
      ...given,
      global: { algorithm: [widest, shortest, widest] },
    });
    expect(replies).toMatchObject([
      { algo_type: 1, data: { paths: [hopsOf('ACD')], other: [{ paths: [hopsOf('ABD')] }] } },
      { algo_type: 0, data: { paths: [hopsOf('ABD')], other: [] } },
      { algo_type: 1, data: { paths: [hopsOf('ACD')], attr: { max_min_band: 10 } } },
    ]);
    expect(runComputation('bod_pasta', { ...given, global: null })).toMatchObject([
      { algo_type: 0, status: true },
      { algo_type: 1, status: true },
    ]);
  });
});

describe('a policy without bandwidth', () => {
  test('takes the best path whatever it asks for, with the bandwidth that links have', () => {
    const given = { nodes, links, sr_policy: { ...policy, bandwidth: 1e6 }, global };
    expect(runComputation('nonbod_pasta', given)).toMatchObject([
      { status: true, data: { paths: [hopsOf('ABD')], attr: { igp: 20, max_min_band: 50 } } },
    ]);
  });

  test.each([
    [false, 0.5, 40, 'ABD'],
    [true, 0.9, 40, 'ABD'],
    [true, 0.8, 40, 'ABD'],
    [true, 0.5, 40, 'ACD'],
    [true, null, 51, 'ACD'],
    [true, 0, 1e9, 'ACD'],
  ])('with real_traffic %s and a ratio of %s keeps to that by %d on a link of 50', (...row) => {
    const [real_traffic, traffic_ratio, traffic_flow, letters] = row;
    const loaded = links.map((link) => (link.id === 'A>B' ? { ...link, traffic_flow } : link));
    const unknown = loaded.map((link) => (link.id === 'A>C' ? { ...link, traffic_flow: 1e9 } : link));
    const request = { nodes, links: unknown, sr_policy: policy };
    const rules = { ...global, real_traffic, traffic_ratio };
    expect(runComputation('nonbod_pasta', { ...request, global: rules })).toMatchObject([
      { data: { paths: [hopsOf(letters)] } },
    ]);
  });
});

describe('a policy that changed', () => {
  const over = (...letters: string[]) => [letters.map(hopsOf)];
  test.each([
    ['5 over B', { path: over('ABD'), bandwidth: 5 }, 10, 'ABD', 10],
    ['5 over B, of this class', { path: over('ABD'), bandwidth: 5, class: 'EF' }, 10, 'ABD', 10],
    ['less than is missing', { path: over('ABD'), bandwidth: 4.9 }, 10, 'ACD', 10],
    ['5 of another class', { path: over('ABD'), bandwidth: 5, class: 'AF' }, 10, 'ACD', 10],
    ['5 elsewhere', { path: over('ACD'), bandwidth: 5 }, 10, 'ACD', 15],
    ['its half of 10 over B and C each', { path: over('ABD', 'ACD'), bandwidth: 10 }, 10, 'ABD', 10],
    ['its half of 9 over B and C each', { path: over('ABD', 'ACD'), bandwidth: 9 }, 10, 'ACD', 14.5],
    ['5 over two segments', { path: [...over('AB'), ...over('BD')], bandwidth: 5 }, 10, 'ABD', 10],
    ['nothing', {}, 5, 'ABD', 5],
  ])('that had %s can have it again', (_, former, bandwidth, letters, max_min_band) => {
    const request = { nodes, links, sr_policy: { ...policy, bandwidth, former }, global };
    expect(runComputation('bod_modified', request)).toMatchObject([
      { status: true, data: { paths: [hopsOf(letters)], attr: { max_min_band } } },
    ]);
  });

  test('that gives back very much leaves other links as they are', () => {
    const exact = links.map((link) => ({ ...link, qos_class: [{ class: 'EF', bandwidth_available: 0.6 }] }));
    const former = { path: over('AB'), bandwidth: 1e15 };
    const request = { nodes, links: exact, sr_policy: { ...policy, bandwidth: 0.9, former }, global };
    expect(runComputation('bod_modified', request)).toMatchObject([{ status: false, data: {} }]);
  });

  test('gives back by the flow factor what it takes by it', () => {
    const former = { path: over('ABD'), bandwidth: 2.5 };
    const sr_policy = { ...policy, bandwidth: 5, former };
    const request = { nodes, links, sr_policy, global: { ...global, flow_factor: 2 } };
    expect(runComputation('bod_modified', request)).toMatchObject([
      { data: { paths: [hopsOf('ABD')], attr: { max_min_band: 10 } } },
    ]);
  });
});
