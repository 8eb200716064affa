// Which agents a request or a task means, and which resolvers an agent asks. Pure.
import { matchesPlace, type PlacePattern, wildcard } from './place.ts';

export type Selection = { group_id: number | null; regions: PlacePattern[] };

/**
 * Agents of the group (by its places or by their own configuration) and agents of the regions, in the order given.
 * Neither group nor regions: all of them.
 */
export function selectAgents<Agent extends PlacePattern & { groups: number[] }>(
  agents: Agent[],
  selection: Selection,
  groupPlaces: PlacePattern[],
): Agent[] {
  const { group_id: groupId, regions } = selection;
  if (groupId === null && regions.length === 0) return agents;
  const places = groupId === null ? regions : [...groupPlaces, ...regions];
  return agents.filter(
    (agent) =>
      (groupId !== null && agent.groups.includes(groupId)) ||
      places.some((place) => matchesPlace(place, agent)),
  );
}

/** The resolvers of the most specific row for this place, undefined when there is none. */
export type ResolverLookup = (place: PlacePattern) => string[] | undefined;

/** What an agent asks: the servers of the request or task, else those of its region, else its own; perhaps none. */
export function chooseServers(
  asked: string[],
  agent: PlacePattern & { resolvers: string[] },
  resolversOf: ResolverLookup,
): string[] {
  return asked.length > 0 ? asked : (resolversOf(agent) ?? agent.resolvers);
}

/** Makes a lookup of the rows of `local_dns`. */
export function createResolverLookup(rows: (PlacePattern & { ips: string[] })[]): ResolverLookup {
  const resolversByPlace = new Map(rows.map((row) => [placeKey(row), row.ips]));
  return (place) => {
    for (const row of lookupOrder(place)) {
      const resolvers = resolversByPlace.get(placeKey(row));
      if (resolvers !== undefined) return resolvers;
    }
    return undefined;
  };
}

function placeKey({ country, province, city, carrier }: PlacePattern): string {
  return JSON.stringify([country, province, city, carrier]);
}

/** All four, then without carrier, without city, country alone, then country, province and carrier. */
function lookupOrder({ country, province, city, carrier }: PlacePattern): PlacePattern[] {
  return [
    { country, province, city, carrier },
    { country, province, city, carrier: wildcard },
    { country, province, city: wildcard, carrier: wildcard },
    { country, province: wildcard, city: wildcard, carrier: wildcard },
    { country, province, city: wildcard, carrier },
  ];
}
