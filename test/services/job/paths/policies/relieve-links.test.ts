import { describe, expect, test } from 'vitest';
import {
  hopsOf,
  linkOf,
  longer,
  nodesOf,
  pathsById,
  runComputation,
  shortest,
  wayOf,
} from './run-computation.ts';

/** From A to D over B, C or E: the less igp the earlier in the alphabet. */
const nodes = nodesOf('ABCDE');
const ef = (bandwidth_available: number) => ({ qos_class: [{ class: 'EF', bandwidth_available }] });
function linksWith(traffic: Record<string, number>, available: Record<string, number> = {}) {
  return ['A>B', 'B>D', 'A>C', 'C>D', 'A>E', 'E>D'].map((id, index) =>
    linkOf(id, {
      igp: 10 + 10 * Math.floor(index / 2),
      traffic_flow: traffic[id] ?? 0,
      ...ef(available[id] ?? 100),
    }),
  );
}
const policy = (id: string, priority: number, traffic_flow: number, given = {}) => ({
  id,
  headend: 'A',
  tailend: 'D',
  class: 'EF',
  path: wayOf('ABD'),
  priority,
  traffic_flow,
  bandwidth: traffic_flow,
  ...given,
});
const global = { algorithm: [shortest] };
const full = linksWith({ 'A>B': 90, 'B>D': 90 });

function relieve(given: object) {
  const [reply] = runComputation('bod_congest_reopt', {
    nodes,
    links: full,
    congested_link: ['A>B'],
    sr_policy: [],
    ...given,
    global: { ...global, ...('global' in given && typeof given.global === 'object' ? given.global : {}) },
  });
  return reply;
}

/** Ids of those that were moved, and the nodes that they pass now. */
function movedTo(given: object): Record<string, string> {
  const reply = relieve(given);
  expect(reply).toMatchObject({ status: true, info: {} });
  return Object.fromEntries(
    Object.entries(pathsById(reply)).map(([id, paths]) => [id, paths.map(nodesPassed).join()]),
  );
}

function nodesPassed(hops: string[]): string {
  return hops.filter((_, place) => place % 2 === 0).join('');
}

describe('which policies are moved', () => {
  test.each<[string, object[], object, string[]]>([
    // 90 of 100 are carried, the target is 70: 20 have to go.
    ['the one that covers the excess', [policy('R1', 1, 10), policy('R2', 1, 20)], {}, ['R2']],
    [
      'the one of least traffic, at the same priority',
      [policy('R1', 1, 60), policy('R2', 1, 25)],
      {},
      ['R2'],
    ],
    [
      'the one of highest priority, at the same traffic',
      [policy('R1', 1, 30), policy('R2', 2, 30)],
      {},
      ['R2'],
    ],
    ['none without priority', [policy('R1', 0, 30), policy('R2', 1, 40)], {}, ['R2']],
    [
      'none that goes elsewhere',
      [policy('R1', 1, 30, { path: wayOf('ACD') }), policy('R2', 1, 40)],
      {},
      ['R2'],
    ],
    ['none without a path', [policy('R1', 1, 30, { path: [] }), policy('R2', 1, 40)], {}, ['R2']],
    // 0.5/4 + 0.5·12/20 twice is 0.85; 0.5/1 + 0.5·20/20 is 1.
    [
      'two of less effort than one',
      [policy('R1', 1, 20), policy('R2', 4, 12), policy('R3', 4, 12)],
      {},
      ['R2', 'R3'],
    ],
    // 0.5/1 + 0.5·12/20 twice is 1.6.
    [
      'one of less effort than two',
      [policy('R1', 1, 20), policy('R2', 1, 12), policy('R3', 1, 12)],
      {},
      ['R1'],
    ],
    [
      'by traffic alone, when priority has no weight',
      [policy('R1', 9, 26), policy('R2', 1, 12), policy('R3', 1, 13)],
      { priority_weight: 0 },
      ['R3', 'R2'],
    ],
    [
      'by priority alone, when traffic has no weight',
      [policy('R1', 1, 20), policy('R2', 3, 60)],
      { bandwidth_weight: 0 },
      ['R2'],
    ],
    ['by the flow factor', [policy('R1', 1, 10), policy('R2', 1, 20)], { flow_factor: 2 }, ['R1']],
    ['by the target', [policy('R1', 1, 10), policy('R2', 1, 20)], { target_threshold: 0.8 }, ['R1']],
    // 0.5/1 + 0.5·20/20 is 0.5/2 + 0.5·30/20.
    ['of the same effort the higher priority', [policy('R1', 1, 20), policy('R2', 2, 30)], {}, ['R2']],
    ['or the lower one', [policy('R2', 2, 30), policy('R1', 1, 20)], { prioriry_prefer: 'LOW' }, ['R1']],
    ['then the more traffic', [policy('R1', 1, 20), policy('R2', 1, 30)], { bandwidth_weight: 0 }, ['R2']],
    [
      'or the less',
      [policy('R2', 1, 30), policy('R1', 1, 20)],
      { bandwidth_weight: 0, traffic_prefer: 'LOW' },
      ['R1'],
    ],
    ['then the first one', [policy('R2', 1, 20), policy('R1', 1, 20), policy('R3', 1, 20)], {}, ['R2']],
  ])('is %s', (_, sr_policy, rules, expected) => {
    expect(Object.keys(movedTo({ sr_policy, global: rules }))).toEqual(expected);
  });

  test('goes by the part of a policy that is on the link', () => {
    const path = [[hopsOf('ABD'), hopsOf('ACD')]];
    const sr_policy = [policy('half', 1, 30, { path }), policy('whole', 1, 30)];
    expect(movedTo({ sr_policy })).toEqual({ whole: 'ACD' });
    expect(movedTo({ sr_policy: [policy('half', 1, 40, { path }), policy('more', 1, 60)] })).toEqual({
      half: 'ACD',
    });
  });
});

describe('where they are moved to', () => {
  test.each<[string, object, string]>([
    ['around the link', {}, 'ACD'],
    ['not over a link that would carry too much', { links: linksWith({ 'A>B': 90, 'C>D': 60.1 }) }, 'AED'],
    ['over a link that then carries just enough', { links: linksWith({ 'A>B': 90, 'C>D': 60 }) }, 'ACD'],
    ['not over a link that is congested itself', { links: linksWith({ 'A>B': 90, 'C>D': 85 }) }, 'AED'],
    ['not without bandwidth for the class', { links: linksWith({ 'A>B': 90 }, { 'A>C': 19 }) }, 'AED'],
    [
      'not over a link that counts as loaded',
      { links: linksWith({ 'A>B': 90, 'C>D': 41 }), global: { real_traffic: true, traffic_ratio: 0.4 } },
      'AED',
    ],
    ['not over what they exclude', { sr_policy: [policy('R', 1, 20, { exclude: ['C'] })] }, 'AED'],
    [
      'over a link of unknown bandwidth',
      {
        links: linksWith({ 'A>B': 90, 'C>D': 85 }).map((link) =>
          link.id === 'C>D' ? { ...link, bandwidth: -1 } : link,
        ),
      },
      'ACD',
    ],
  ])('is %s', (_, given, expected) => {
    expect(movedTo({ sr_policy: [policy('R', 1, 20)], ...given })).toEqual({ R: expected });
  });

  test('has room by what others of the set gave back before', () => {
    // Both have half of what C has; neither could be moved while the other one is there.
    const half = { path: [[hopsOf('ABD'), hopsOf('ACD')]], exclude: ['E'] };
    const sr_policy = [policy('R1', 1, 20, half), policy('R2', 1, 20, half)];
    const links = linksWith({ 'A>B': 90, 'A>C': 60, 'C>D': 60 }, { 'A>C': 20, 'C>D': 20 });
    expect(movedTo({ links, sr_policy })).toEqual({ R1: 'ACD', R2: 'ACD' });
  });

  test('is the next best set where one of the best finds no room', () => {
    const links = linksWith({ 'A>B': 90, 'A>C': 59, 'A>E': 59 });
    const sr_policy = [policy('R1', 2, 22), policy('R2', 1, 10), policy('R3', 1, 10)];
    expect(movedTo({ links, sr_policy })).toEqual({ R2: 'ACD', R3: 'ACD' });
  });

  test('passes those over who have no place, however many sets they are in', () => {
    const stuck = Array.from({ length: 30 }, (_, index) =>
      policy(`S${index}`, 9, 4, { exclude: ['C', 'E'] }),
    );
    const free = Array.from({ length: 6 }, (_, index) => policy(`R${index}`, 1, 4));
    const moved = movedTo({ sr_policy: [...stuck, ...free] });
    expect(moved).toEqual({ R0: 'ACD', R1: 'ACD', R2: 'ACD', R3: 'ACD', R4: 'ACD' });
  });

  test('is found where a limit on the width has less room make for a wider path', () => {
    // Alone R1 has the shortest path over C, which is too narrow for it; once R2 is there it has the one over E.
    const links = linksWith({ 'A>B': 90, 'A>C': 55, 'C>D': 55 }).map((link) => ({
      ...link,
      qos_class: [
        ...ef(link.id.includes('C') ? 20 : 100).qos_class,
        { class: 'AF', bandwidth_available: 100 },
      ],
    }));
    const sr_policy = [policy('R1', 1, 20, { bandwidth: 10 }), policy('R2', 2, 15, { class: 'AF' })];
    const algorithm = [{ ...shortest, sorter: 'max_min_band', limit: 50 }];
    expect(movedTo({ links, sr_policy, global: { algorithm } })).toEqual({ R2: 'ACD', R1: 'AED' });
  });

  test('is found for many that are alike', () => {
    const many = Array.from({ length: 80 }, (_, index) => policy(`R${index}`, 1, 1.1));
    expect(Object.keys(movedTo({ sr_policy: many }))).toHaveLength(19);
  });
});

describe('several links', () => {
  test('are relieved from the most loaded one on, by policies led around all of them', () => {
    const links = linksWith({ 'A>B': 85, 'A>C': 90, 'A>E': 50 });
    const onC = { path: wayOf('ACD') };
    const sr_policy = [policy('B1', 1, 15), policy('C1', 1, 30, onC), policy('C2', 1, 35, onC)];
    // C1 fills the room on E, which makes room on C.
    expect(Object.entries(movedTo({ links, congested_link: ['A>B', 'A>C'], sr_policy }))).toEqual([
      ['C1', 'AED'],
      ['B1', 'ACD'],
    ]);
  });

  test('are not led over each other, also where the set moved has made room', () => {
    const links = [...linksWith({ 'A>B': 90, 'B>D': 85 }), linkOf('C>B', { igp: 1, ...ef(100) })];
    const sr_policy = [policy('R1', 1, 10), policy('R2', 1, 10)];
    expect(movedTo({ links, congested_link: ['A>B'], sr_policy })).toEqual({ R1: 'ACBD', R2: 'ACD' });
    expect(movedTo({ links, congested_link: ['A>B', 'B>D'], sr_policy })).toEqual({ R1: 'ACD', R2: 'ACD' });
  });

  test('listed twice are relieved once', () => {
    expect(movedTo({ congested_link: ['A>B', 'A>B'], sr_policy: [policy('R', 1, 20)] })).toEqual({
      R: 'ACD',
    });
  });

  test('that one move relieves need no other one', () => {
    const sr_policy = [policy('R1', 1, 20), policy('R2', 1, 30)];
    expect(movedTo({ congested_link: ['B>D', 'A>B'], sr_policy })).toEqual({ R1: 'ACD' });
  });
});

describe('a link that cannot be relieved', () => {
  test.each<[string, object[], object, RegExp]>([
    ['nobody crosses it', [policy('R', 0, 50)], {}, /^A>B stays congested: no policy whose path crosses it/],
    [
      'too little crosses it',
      [policy('R', 1, 19.5)],
      {},
      /^A>B stays congested: 20 have to go, .* 19\.5 of it$/,
    ],
    [
      'there is no way around it',
      [policy('R', 1, 20, { exclude: ['C', 'E'] }), policy('S', 1, 10)],
      {},
      /^A>B stays congested: no set of .* \(tried: 1\)$/,
    ],
  ])('is named when %s', (_, sr_policy, given, message) => {
    for (const reopt_mode of ['strict', 'loose', null]) {
      const reply = relieve({ sr_policy, ...given, global: { reopt_mode } });
      expect(reply).toMatchObject({
        algo_type: 0,
        status: false,
        info: { code: 'STILL_CONGESTED', message: expect.stringMatching(message), links: ['A>B'] },
      });
      expect(reply?.data).toEqual(reopt_mode === 'strict' ? {} : []);
    }
  });

  test('undoes what was moved, strictly, and keeps it, loosely', () => {
    const links = linksWith({ 'A>B': 90, 'A>C': 85, 'A>E': 0 });
    const given = { links, congested_link: ['A>B', 'A>C'], sr_policy: [policy('R', 1, 20)] };
    const strict = relieve({ ...given, global: { reopt_mode: 'strict' } });
    expect(strict).toMatchObject({ status: false, info: { links: ['A>C'] }, data: {} });
    const loose = relieve({ ...given, global: { reopt_mode: 'loose' } });
    expect(loose).toMatchObject({ status: false, info: { links: ['A>C'] } });
    expect(pathsById(loose)).toEqual({ R: [hopsOf('AED')] });
  });

  test('is tried by each algorithm from the same state', () => {
    const [one, other] = runComputation('bod_congest_reopt', {
      nodes,
      links: full,
      congested_link: ['A>B'],
      sr_policy: [policy('R', 1, 20)],
      global: { algorithm: [shortest, { ...longer, sorter: 'max_min_band' }] },
    });
    expect(one).toMatchObject({ algo_type: 0, status: true, data: [{ id: 'R', data: { other: [] } }] });
    expect(other).toMatchObject({ algo_type: 1, status: true, data: [{ id: 'R' }] });
  });
});
