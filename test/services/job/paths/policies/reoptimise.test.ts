import { describe, expect, test } from 'vitest';
import type { AlgorithmReply } from '../../../../../contracts/path-reply.ts';
import type { PathRequest, SrPolicy } from '../../../../../contracts/path-request.ts';
import { createRandomNetwork, createRandomPolicies } from '../../../../helpers/random-network.ts';
import { createNaiveLeft } from './naive-loads.ts';
import {
  hopsOf,
  linkOf,
  longer,
  nodesOf,
  parseRequest,
  pathsById,
  runComputation,
  shortest,
} from './run-computation.ts';

const nodes = nodesOf('ABCD');
const ef = (bandwidth_reserve: number) => ({ qos_class: [{ class: 'EF', bandwidth_reserve }] });
const links = [
  linkOf('A>B', { bandwidth: 50, ...ef(5) }),
  linkOf('B>D', { bandwidth: 50, ...ef(5) }),
  linkOf('A>C', { igp: 20, ...ef(10) }),
  linkOf('C>D', { igp: 20, ...ef(10) }),
];
const policy = (id: string, bandwidth: number, priority = 0) => ({
  id,
  headend: 'A',
  tailend: 'D',
  class: 'EF',
  bandwidth,
  priority,
});
const policies = [policy('R3', 3, 1), policy('R5', 5, 3), policy('R4', 4, 2)];
const global = { algorithm: [shortest] };

describe('policies with bandwidth', () => {
  test.each([
    ['bandwidth_desc', { R5: 'ABD', R4: 'ACD', R3: 'ACD' }],
    [null, { R5: 'ABD', R4: 'ACD', R3: 'ACD' }],
    ['bandwidth_asc', { R3: 'ABD', R4: 'ACD', R5: 'ACD' }],
    ['priority_desc', { R5: 'ABD', R4: 'ACD', R3: 'ACD' }],
    ['priority_asc', { R3: 'ABD', R4: 'ACD', R5: 'ACD' }],
  ])('are placed in the order of %s on what those before have left', (sorting, expected) => {
    const request = { nodes, links, sr_policy: policies, global: { ...global, sorting } };
    const [reply] = runComputation('bod_reopt', request);
    expect(reply).toMatchObject({ algo_type: 0, status: true, info: {} });
    expect(Object.entries(pathsById(reply))).toEqual(
      Object.entries(expected).map(([id, letters]) => [id, [hopsOf(letters)]]),
    );
  });

  test('that are alike are placed in the order in which they came', () => {
    const alike = ['X', 'A', 'M'].map((id) => policy(id, 5, 2));
    for (const sorting of ['bandwidth_desc', 'bandwidth_asc', 'priority_desc', 'priority_asc']) {
      const request = { nodes, links, sr_policy: alike, global: { ...global, sorting } };
      expect(Object.keys(pathsById(runComputation('bod_reopt', request)[0]))).toEqual(['X', 'A', 'M']);
    }
  });

  test('all fail, strictly, when one does, which is named', () => {
    const request = { nodes, links, sr_policy: [...policies, policy('R9', 9), policy('R1', 1)], global };
    const [reply] = runComputation('bod_reopt', request);
    expect(reply).toMatchObject({ status: false, data: {}, info: { code: 'NO_PATH', policies: ['R4'] } });
    expect(reply?.info).toMatchObject({ message: expect.stringMatching(/^R4: .*A to D/) });
  });

  test('have what there is for them, loosely, and those without it are named', () => {
    const crowd = [...policies, policy('R9', 9), policy('R1', 1)];
    const request = { nodes, links, sr_policy: crowd, global: { ...global, reopt_mode: 'loose' } };
    const [reply] = runComputation('bod_reopt', request);
    expect(reply).toMatchObject({ status: false, info: { code: 'NO_PATH', policies: ['R4', 'R3'] } });
    expect(pathsById(reply)).toEqual({ R9: [hopsOf('ACD')], R5: [hopsOf('ABD')], R1: [hopsOf('ACD')] });
  });

  test('that ask for far too much leave others what there is, to the decimal', () => {
    const narrow = links.map((link) => ({ ...link, ...ef(0.6) }));
    const sr_policy = [policy('R', 1e15), policy('S', 0.9), policy('T', 0.6)];
    const request = { nodes, links: narrow, sr_policy, global: { ...global, reopt_mode: 'loose' } };
    const [reply] = runComputation('bod_reopt', request);
    expect(reply).toMatchObject({
      info: { policies: ['R', 'S'] },
      data: [{ data: { attr: { max_min_band: 0.6 } } }],
    });
  });

  test('of other classes, or of none, do not get in their way', () => {
    const qos_class = ['EF', 'AF'].map((name) => ({ class: name, bandwidth_reserve: 5 }));
    const both = links.map((link) => ({ ...link, qos_class }));
    const sr_policy = [
      policy('E', 5),
      { ...policy('F', 5), class: 'AF' },
      { ...policy('N', 5), class: null },
    ];
    const [reply] = runComputation('bod_reopt', { nodes, links: both, sr_policy, global });
    expect(pathsById(reply)).toEqual({ E: [hopsOf('ABD')], F: [hopsOf('ABD')], N: [hopsOf('ABD')] });
  });

  test('take a part of each equal-cost path', () => {
    const even = links.map((link) => ({ ...link, igp: 10, ...ef(6) }));
    const request = { nodes, links: even, global };
    // Of the 6 on each of both, the first one takes 3 and the second one 1.5.
    const three = [policy('R1', 6), policy('R2', 3), policy('R3', 1.5)];
    const [reply] = runComputation('bod_reopt', { ...request, sr_policy: three });
    const bands = Array.isArray(reply?.data) ? reply.data.map(({ data }) => data.attr.max_min_band) : [];
    expect(bands).toEqual([6, 3, 1.5]);
    expect(pathsById(reply).R3).toEqual([hopsOf('ABD'), hopsOf('ACD')]);
  });
});

describe('policies without bandwidth', () => {
  test('take nothing from each other, and stand in the order of sorting', () => {
    const request = { nodes, links, sr_policy: policies, global };
    expect(Object.entries(pathsById(runComputation('nonbod_reopt', request)[0]))).toEqual([
      ['R5', [hopsOf('ABD')]],
      ['R4', [hopsOf('ABD')]],
      ['R3', [hopsOf('ABD')]],
    ]);
  });

  test.each(['strict', 'loose'])('fail, %s, when there is no path for one', (reopt_mode) => {
    const sr_policy = [...policies, { ...policy('back', 4), headend: 'D', tailend: 'A' }];
    const [reply] = runComputation('nonbod_reopt', {
      nodes,
      links,
      sr_policy,
      global: { ...global, reopt_mode },
    });
    expect(reply).toMatchObject({ status: false, info: { code: 'NO_PATH', policies: ['back'] } });
    const data = reopt_mode === 'strict' ? {} : [{ id: 'R5' }, { id: 'R4' }, { id: 'R3' }];
    expect(reply?.data).toMatchObject(data);
  });
});

/** Of policies in ascending order, those that are alike in the order in which they came. */
function stableReverse(policies: readonly SrPolicy[], key: 'bandwidth' | 'priority'): SrPolicy[] {
  const values = [...new Set(policies.map((one) => one[key]))].reverse();
  return values.flatMap((value) => policies.filter((one) => one[key] === value));
}

describe('on random networks', () => {
  function drawRequest(seed: number, reopt_mode: 'strict' | 'loose'): PathRequest<'bod_reopt'> {
    const network = createRandomNetwork(seed, { nodeCount: 7, pairCount: 12, maxMetric: 3 });
    const sorting = ['bandwidth_desc', 'bandwidth_asc', 'priority_desc', 'priority_asc'][seed % 4];
    const sr_policy = createRandomPolicies(seed, network, { count: 12 }).map((one) => ({
      ...one,
      bandwidth: one.bandwidth * (seed % 3 === 0 ? 20.1 : 45),
    }));
    const algorithm = [shortest, { ...longer, sorter: 'max_min_band', top: 3 }];
    const given = { algorithm, sorting, reopt_mode, flow_factor: 1.1 };
    return parseRequest('bod_reopt', { ...network, sr_policy, global: given });
  }

  function idsOf(reply: AlgorithmReply | undefined): string[] {
    return reply !== undefined && 'policies' in reply.info ? (reply.info.policies ?? []) : [];
  }

  test('each policy has what it would have alone, on what those before have left; nothing is given twice', () => {
    let failed = 0;
    for (let seed = 0; seed < 12; seed += 1) {
      const request = drawRequest(seed, 'loose');
      const replies = runComputation('bod_reopt', request);
      expect(runComputation('bod_reopt', request)).toEqual(replies);
      for (const [index, { data }] of replies.entries()) {
        const placed = Array.isArray(data) ? data : [];
        const algorithm = request.global.algorithm.slice(index, index + 1);
        const key = seed % 4 < 2 ? 'bandwidth' : 'priority';
        const ordered = request.sr_policy.toSorted((one, other) => one[key] - other[key]);
        const isDescending = seed % 2 === 0;
        const left = createNaiveLeft(request.links);
        for (const sr_policy of isDescending ? stableReverse(ordered, key) : ordered) {
          const given = {
            ...request,
            links: left.links(),
            sr_policy,
            global: { ...request.global, algorithm },
          };
          const [alone] = runComputation('bod_pasta', given);
          const found = placed.find(({ id }) => id === sr_policy.id);
          expect(found?.data ?? {}).toEqual(alone?.data);
          expect(idsOf(replies[index]).includes(sr_policy.id)).toBe(found === undefined);
          if (found === undefined) failed += 1;
          else left.take(sr_policy, found.data.segs, 1.1);
        }
        expect(left.least()).toBeGreaterThanOrEqual(0);
      }
    }
    expect(failed).toBeGreaterThan(20);
  });

  test('strictly it is all of what it would be loosely, or nothing', () => {
    const statuses = new Set<boolean>();
    for (let seed = 0; seed < 24; seed += 1) {
      const loose = runComputation('bod_reopt', drawRequest(seed, 'loose'));
      const strict = runComputation('bod_reopt', drawRequest(seed, 'strict'));
      for (const [index, reply] of loose.entries()) {
        statuses.add(reply.status);
        if (reply.status) expect(strict[index]).toEqual(reply);
        else {
          expect(strict[index]).toMatchObject({ status: false, data: {} });
          expect(idsOf(strict[index])).toEqual(idsOf(reply).slice(0, 1));
        }
      }
    }
    expect(statuses.size).toBe(2);
  });
});
