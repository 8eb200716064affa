// What the requests of path computations mean by what they leave out, and what they are refused for.
import { describe, expect, test } from 'vitest';
import { pathRequestSchemas } from '../../contracts/path-request.ts';

const nodes = [
  { id: 'A', sid: 1 },
  { id: 'B', sid: 2 },
];
const link = { id: 'A:1', local: 'A', remote: 'B' };
const policy = { id: 'p', headend: 'A', tailend: 'B' };

function parse(type: keyof typeof pathRequestSchemas, changes: Record<string, unknown>) {
  const given = { nodes, links: [link], sr_policy: policy, ...changes };
  return pathRequestSchemas[type].safeParse(given);
}

describe('what is left out', () => {
  test('of a link has the values of the service that this one speaks like', () => {
    expect(parse('bod_pasta', {}).data?.links).toEqual([
      {
        ...link,
        ...{ igp: 0, te: 0, bandwidth: -1, affinity: 0 },
        ...{ delay: 1000, min_delay: 1000, max_delay: 1000, qos_class: [], traffic_flow: 0 },
      },
    ]);
  });

  test('null is the same as nothing', () => {
    const empty = { igp: null, bandwidth: null, qos_class: null };
    expect(parse('bod_pasta', { links: [{ ...link, ...empty }], global: null }).data).toEqual(
      parse('bod_pasta', {}).data,
    );
  });

  test('of the global fields asks for both algorithms, of which the second one takes longer paths, too', () => {
    const defaults = { sorter: 'metric', top: 10, limit: 0 };
    expect(parse('nonbod_pasta', {}).data?.global).toMatchObject({
      algorithm: [
        { algo: 0, loose: false, ...defaults },
        { algo: 1, loose: true, ...defaults },
      ],
      ...{ real_traffic: false, traffic_ratio: 1, flow_factor: 1 },
    });
  });

  test('of a relief is loose and has the usual thresholds', () => {
    const given = { congested_link: ['A:1'], sr_policy: [policy] };
    expect(parse('bod_congest_reopt', given).data?.global).toMatchObject({
      ...{ reopt_mode: 'loose', congest_threshold: 0.8, target_threshold: 0.7 },
      ...{ prioriry_prefer: 'HIGH', traffic_prefer: 'HIGH', priority_weight: 0.5, bandwidth_weight: 0.5 },
    });
  });
});

test.each([
  ['0x0000000f', 15],
  ['ff', 255],
  [255, 255],
  [2 ** 32 - 1, 2 ** 32 - 1],
])('an affinity of %s is 32 bits', (affinity, bits) => {
  expect(parse('bod_pasta', { sr_policy: { ...policy, affinity } }).data?.sr_policy).toMatchObject({
    affinity: bits,
  });
});

test.each([
  ['a negative metric', { links: [{ ...link, igp: -1 }] }, 'links.0.igp'],
  ['a metric that is no integer', { links: [{ ...link, te: 1.5 }] }, 'links.0.te'],
  ['a bandwidth below -1', { links: [{ ...link, bandwidth: -2 }] }, 'links.0.bandwidth'],
  ['a negative delay', { links: [{ ...link, delay: -0.1 }] }, 'links.0.delay'],
  ['an affinity that is no number', { sr_policy: { ...policy, affinity: 'red' } }, 'sr_policy.affinity'],
  ['an id with control characters', { nodes: [{ id: 'A\u0000', sid: 1 }] }, 'nodes.0.id'],
  ['no nodes', { nodes: [] }, 'nodes'],
  ['a third algorithm', { global: { algorithm: [{ algo: 2 }] } }, 'global.algorithm.0.algo'],
  ['no algorithm', { global: { algorithm: [] } }, 'global.algorithm'],
  ['a list of policies where one is asked for', { sr_policy: [policy] }, 'sr_policy'],
])('%s is refused', (_title, changes, path) => {
  const { error } = parse('bod_pasta', changes);
  expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
});

test('a changed policy has to say what it had', () => {
  expect(parse('bod_modified', {}).success).toBe(false);
  const former = { path: [[['A', 'A:1', 'B']]], bandwidth: 5, class: 'EF' };
  expect(parse('bod_modified', { sr_policy: { ...policy, former } }).data?.sr_policy).toMatchObject({
    former,
  });
});
