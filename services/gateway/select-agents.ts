// Which live agents a request means. Pure: a union of group and regions, every agent once.
import { matchesPlace, type PlacePattern } from '../../contracts/place.ts';
import type { LiveAgent } from './agent-directory.ts';

export type Selection = { group_id: number | null; regions: PlacePattern[] };

/**
 * Agents of the group (by its places or by their own configuration) and agents of the regions, in the order given.
 * Neither group nor regions: all of them.
 */
export function selectAgents(
  agents: LiveAgent[],
  selection: Selection,
  groupPlaces: PlacePattern[],
): LiveAgent[] {
  const { group_id: groupId, regions } = selection;
  if (groupId === null && regions.length === 0) return agents;
  const places = groupId === null ? regions : [...groupPlaces, ...regions];
  return agents.filter(
    (agent) =>
      (groupId !== null && agent.groups.includes(groupId)) ||
      places.some((place) => matchesPlace(place, agent)),
  );
}
