import { describe, expect, test } from 'vitest';
import type { PathJobType } from '../../../../../contracts/path-request.ts';
import { findPathRequestFaults } from '../../../../../services/job/paths/compute.ts';
import { linkOf, nodesOf, parseRequest, wayOf } from '../policies/run-computation.ts';

const nodes = nodesOf('ABC');
const links = [linkOf('A>B'), linkOf('B>C'), linkOf('A>C'), linkOf('C>A')];
const policy = { id: 'R1', headend: 'A', tailend: 'C' };

function faultsOf(type: PathJobType, given: unknown): [string, string][] {
  return findPathRequestFaults(type, parseRequest(type, given)).map(({ path, reason }) => [path, reason]);
}

describe('a network', () => {
  test.each<[string, object, [string, string][]]>([
    ['none', {}, []],
    [
      'two nodes of one id',
      { nodes: [...nodes, { id: 'B' }] },
      [['nodes.3.id', 'B is the id of nodes.1, too']],
    ],
    [
      'two links of one id',
      { links: [...links, linkOf('A>B')] },
      [['links.4.id', 'A>B is the id of links.0, too']],
    ],
    [
      'a link with the id of a node',
      { links: [...links, { ...linkOf('A>B'), id: 'C' }] },
      [['links.4.id', 'C is the id of nodes.2, too']],
    ],
    [
      'a link to nowhere and from nowhere',
      { links: [...links, linkOf('X>Y')] },
      [
        ['links.4.local', 'there is no node X'],
        ['links.4.remote', 'there is no node Y'],
      ],
    ],
    [
      'a class that stands twice on a link',
      { links: [linkOf('A>B', { qos_class: [{ class: 'EF' }, { class: 'AF' }, { class: 'EF' }] })] },
      [['links.0.qos_class.2.class', 'EF stands twice']],
    ],
  ])('is told of %s', (_, given, expected) => {
    const request = { nodes, links, sr_policy: policy, ...given };
    expect(faultsOf('bod_pasta', request)).toEqual(expected);
    expect(faultsOf('nonbod_pasta', request)).toEqual(expected);
    expect(faultsOf('bod_reopt', { ...request, sr_policy: [policy] })).toEqual(expected);
  });

  test('is told of delays too large for exact sums, where a policy goes by them', () => {
    const wide = Array.from({ length: 1100 }, (_, index) => ({ id: `N${index}` }));
    const ring = wide.map(({ id }, at) => ({
      ...linkOf(`${id}>N${(at + 1) % 1100}`),
      delay: at === 0 ? 0 : 1e9,
    }));
    const ends = { ...policy, headend: 'N0', tailend: 'N9' };
    const large = { nodes: wide, links: ring, sr_policy: { ...ends, metric: 'latency' } };
    expect(faultsOf('nonbod_pasta', large)).toEqual([
      ['links', 'the delays of the links are too large to be summed up exactly'],
    ]);
    expect(faultsOf('nonbod_pasta', { ...large, sr_policy: ends })).toEqual([]);
  });

  test('has all of its faults counted', () => {
    const request = { nodes, links: Array.from({ length: 5000 }, () => linkOf('X>A')), sr_policy: policy };
    expect(faultsOf('nonbod_pasta', request)).toHaveLength(5000 + 4999);
  });
});

describe('a policy', () => {
  test.each<[string, object, [string, string][]]>([
    [
      'ends that are no nodes',
      { headend: 'X', tailend: 'A>B' },
      [
        ['headend', 'there is no node X'],
        ['tailend', 'there is no node A>B'],
      ],
    ],
    ['an end that is both', { tailend: 'A' }, [['tailend', 'is the headend, too']]],
    [
      'a waypoint that is not there',
      { include: ['B', 'X'] },
      [['include.1', 'there is no node and no link X']],
    ],
    [
      'an exclusion that is not there',
      { exclude: ['X', 'B'] },
      [['exclude.0', 'there is no node and no link X']],
    ],
    ['an end that is excluded', { exclude: ['B', 'A'] }, [['exclude.1', 'A is an end of the path']]],
    [
      'a waypoint that is excluded',
      { include: ['B'], exclude: ['B'] },
      [['include.0', 'B is excluded, too']],
    ],
    [
      'a waypoint that stands twice',
      { include: ['B', 'A>B', 'B'] },
      [['include.2', 'B stands twice, and a path passes it once']],
    ],
    [
      'waypoints that are the ends',
      { include: ['A', 'C'] },
      [
        ['include.0', 'A is an end of the path, which passes it anyway'],
        ['include.1', 'C is an end of the path, which passes it anyway'],
      ],
    ],
  ])('is told of %s', (_, given, expected) => {
    const one = { nodes, links, sr_policy: { ...policy, ...given } };
    const placed = (place: string) => expected.map(([path, reason]) => [`${place}.${path}`, reason]);
    expect(faultsOf('bod_pasta', one)).toEqual(placed('sr_policy'));
    expect(faultsOf('bod_modified', { ...one, sr_policy: { ...one.sr_policy, former: {} } })).toEqual(
      placed('sr_policy'),
    );
    const all = { nodes, links, sr_policy: [{ ...policy, id: 'R0' }, one.sr_policy] };
    expect(faultsOf('nonbod_reopt', all)).toEqual(placed('sr_policy.1'));
  });

  test('is told that another one has its id', () => {
    const all = { nodes, links, sr_policy: [policy, { ...policy, id: 'R2' }, policy] };
    expect(faultsOf('bod_reopt', all)).toEqual([['sr_policy.2.id', 'R1 is the id of sr_policy.0, too']]);
  });
});

describe('the way that a policy has', () => {
  const ways: [string, unknown, [string, string][]][] = [
    ['nothing', wayOf('ABC'), []],
    ['nothing in two segments', [...wayOf('AB'), ...wayOf('BC')], []],
    ['a segment without paths', [[], ...wayOf('BC')], [['0', 'has no path']]],
    ['an empty path', [[[]]], [['0.0', 'expected nodes and links by turns, from a node to a node']]],
    [
      'a path that ends with a link',
      [[['A', 'A>B']]],
      [['0.0', 'expected nodes and links by turns, from a node to a node']],
    ],
    ['a node that is not there', [[['A', 'A>B', 'X']]], [['0.0', 'A>B leads from A to B, not from A to X']]],
    ['a start that is not there', [[['X']]], [['0.0', 'there is no node X']]],
    ['a link that is not there', wayOf('CB'), [['0.0', 'there is no link C>B']]],
    [
      'a link the wrong way round',
      [[['C', 'A>C', 'A']]],
      [['0.0', 'A>C leads from A to C, not from C to A']],
    ],
    ['segments apart from each other', [...wayOf('AB'), ...wayOf('AC')], [['1.0', 'begins at A, not at B']]],
    [
      'paths of a segment with other ends',
      [[...(wayOf('AC')[0] ?? []), ['A', 'A>B', 'B']]],
      [['0.1', 'ends at B, as other paths of its segment do not']],
    ],
  ];

  test.each(ways)('is told of %s, where it is given back', (_, path, expected) => {
    const request = { nodes, links, sr_policy: { ...policy, former: { path } } };
    expect(faultsOf('bod_modified', request)).toEqual(
      expected.map(([at, reason]) => [`sr_policy.former.path.${at}`, reason]),
    );
  });

  test.each(ways)('is told of %s, where traffic is moved away from it', (_, path, expected) => {
    const full = links.map((link) => ({ ...link, traffic_flow: 90 }));
    const request = { nodes, links: full, congested_link: ['A>B'], sr_policy: [{ ...policy, path }] };
    expect(faultsOf('bod_congest_reopt', request)).toEqual(
      expected.map(([at, reason]) => [`sr_policy.0.path.${at}`, reason]),
    );
  });

  test('may be an old one of links that are gone, where all policies are placed anew', () => {
    const request = { nodes, links, sr_policy: [{ ...policy, path: wayOf('CB') }] };
    expect(faultsOf('bod_reopt', request)).toEqual([]);
    expect(faultsOf('nonbod_reopt', request)).toEqual([]);
  });
});

describe('the links to relieve', () => {
  const request = {
    nodes,
    links: [
      linkOf('A>B', { traffic_flow: 80 }),
      linkOf('B>C', { bandwidth: -1 }),
      linkOf('A>C', { bandwidth: 0 }),
    ],
    sr_policy: [policy],
  };

  test.each<[string, string[], object, [string, string][]]>([
    ['nothing', ['A>B'], {}, []],
    ['one that is a node', ['B'], {}, [['congested_link.0', 'there is no link B']]],
    [
      'those without bandwidth',
      ['A>B', 'B>C', 'A>C'],
      {},
      [
        ['congested_link.1', 'the bandwidth of B>C is not known, or 0'],
        ['congested_link.2', 'the bandwidth of A>C is not known, or 0'],
      ],
    ],
    [
      'one that is not congested',
      ['A>B'],
      { congest_threshold: 0.9 },
      [['congested_link.0', 'A>B carries 80 of 100, less than the congest_threshold, 0.9']],
    ],
    [
      'a target beyond the threshold',
      ['A>B'],
      { target_threshold: 0.85 },
      [['global.target_threshold', '0.85 is more than the congest_threshold, 0.8']],
    ],
  ])('are told of %s', (_, congested_link, global, expected) => {
    expect(faultsOf('bod_congest_reopt', { ...request, congested_link, global })).toEqual(expected);
  });
});
