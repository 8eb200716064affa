// Which agents are meant, and which resolvers a place has.
import { describe, expect, test } from 'vitest';
import { type PlacePattern, regionSchema } from '../../contracts/place.ts';
import { createResolverLookup, selectAgents } from '../../contracts/select-agents.ts';

function agent(id: string, place: [string, string, string, string], groups: number[] = []) {
  const [country, province, city, carrier] = place;
  return { agent_id: id, country, province, city, carrier, groups };
}

const agents = [
  agent('zhuhai', ['86', '440000', '440400', '电信']),
  agent('beijing', ['86', '110000', '110100', '联通'], [7]),
  agent('shanghai', ['86', '310000', '310100', '移动']),
];

function select(groupId: number | null, regions: unknown[], groupPlaces: PlacePattern[] = []): string[] {
  const request = { group_id: groupId, regions: regions.map((region) => regionSchema.parse(region)) };
  return selectAgents(agents, request, groupPlaces).map(({ agent_id }) => agent_id);
}

describe('selectAgents', () => {
  test('takes all agents where neither group nor regions are given', () => {
    expect(select(null, [])).toEqual(['zhuhai', 'beijing', 'shanghai']);
  });

  test.each([
    [[[86, 440000, 440400, '电信']], ['zhuhai']],
    [[['86', '440000', '440400', '电信']], ['zhuhai']],
    [[[86]], ['zhuhai', 'beijing', 'shanghai']],
    [[[]], ['zhuhai', 'beijing', 'shanghai']],
    [[[86, null, '', '移动']], ['shanghai']],
    [[[0, '*', 110100]], ['beijing']],
    [[[86, 440000, 440400, '联通']], []],
    [[[852]], []],
    [
      [
        [86, 310000],
        [86, 110000],
        [86, 310000],
      ],
      ['beijing', 'shanghai'],
    ],
  ])('matches the regions %j', (regions, expected) => {
    expect(select(null, regions)).toEqual(expected);
  });

  test('takes the union of group and regions, every agent once', () => {
    const places = [{ country: '86', province: '310000', city: '*', carrier: '*' }];
    expect(
      select(
        1,
        [
          [86, 310000],
          [86, 440000],
        ],
        places,
      ),
    ).toEqual(['zhuhai', 'shanghai']);
  });

  test('counts an agent configured with the group to the group', () => {
    expect(select(7, [])).toEqual(['beijing']);
    expect(select(8, [])).toEqual([]);
  });
});

describe('createResolverLookup', () => {
  const place = { country: '86', province: '440000', city: '440400', carrier: '电信' };
  const any = { country: '*', province: '*', city: '*', carrier: '*' };
  /** The most specific first. */
  const rows: (PlacePattern & { ips: string[] })[] = [
    { ...place, ips: ['1'] },
    { ...place, carrier: '*', ips: ['2'] },
    { ...place, carrier: '*', city: '*', ips: ['3'] },
    { ...any, country: '86', ips: ['4'] },
    { ...place, city: '*', ips: ['5'] },
  ];

  test('finds the most specific row of those that there are', () => {
    for (const [index, { ips }] of rows.entries()) {
      expect(createResolverLookup(rows.slice(index).toReversed())(place)).toEqual(ips);
    }
  });

  test('finds nothing where only other places or other wildcards have rows', () => {
    const lookup = createResolverLookup([
      { ...any, ips: ['6'] },
      { ...place, province: '*', ips: ['7'] },
      { ...place, country: '852', ips: ['8'] },
    ]);
    expect(lookup(place)).toBeUndefined();
  });

  test('keeps places apart whose parts only look alike when joined', () => {
    const lookup = createResolverLookup([{ ...any, country: '8', province: '6', ips: ['1'] }]);
    expect(lookup({ ...place, country: '86', province: '' })).toBeUndefined();
  });
});
