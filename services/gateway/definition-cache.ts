// Group places and regional resolvers, read from Postgres and kept: the last known good ones while it is away.
import type { GroupDetail, LocalDns } from '../../contracts/definitions.ts';
import { type PlacePattern, wildcard } from '../../contracts/place.ts';
import { internalSubjects } from '../../contracts/subjects.ts';
import type { Bus, Subscription } from '../../infra/bus/bus.ts';
import type { Component } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/logger.ts';

export type DefinitionCache = Component & {
  placesOfGroup(groupId: number): PlacePattern[];
  /** The resolvers of the most specific row for this place, undefined when there is none. */
  resolversOf(place: PlacePattern): string[] | undefined;
  /** Reads anew because something asked for is not known here; at once without effect while the database is away. */
  refreshForUnknown(): Promise<void>;
  /** Reads anew after a change made here, and tells the other gateways to. */
  publishChange(): Promise<void>;
};

/** Safety net for a change whose message was lost. */
const refreshIntervalMs = 5000;

export function createDefinitionCache(options: {
  bus: Bus;
  readGroupDetails: () => Promise<GroupDetail[]>;
  readLocalDns: () => Promise<LocalDns[]>;
  logger: Logger;
}): DefinitionCache {
  const { bus, readGroupDetails, readLocalDns, logger } = options;
  let placesByGroup = new Map<number, PlacePattern[]>();
  let resolversByPlace = new Map<string, string[]>();
  let isDatabaseAway = false;
  let started = 0;
  let applied = 0;
  let timer: NodeJS.Timeout | undefined;
  let subscription: Subscription | undefined;
  let refreshing: Promise<void> = Promise.resolve();
  let isStopped = false;

  /** Every call reads after it was made: a read already under way may have missed the change that caused the call. */
  async function refresh(): Promise<void> {
    started += 1;
    const turn = started;
    try {
      const [details, resolvers] = await Promise.all([readGroupDetails(), readLocalDns()]);
      // A read that started later may have ended first; what it found must not be undone.
      if (turn < applied) return;
      applied = turn;
      placesByGroup = Map.groupBy(details, ({ group_id }) => group_id);
      resolversByPlace = new Map(resolvers.map((row) => [placeKey(row), row.ips]));
      if (isDatabaseAway) logger.info('groups and resolvers are read again');
      isDatabaseAway = false;
    } catch (error) {
      if (!isDatabaseAway) logger.warn({ err: error }, 'groups and resolvers stay as they were last read');
      isDatabaseAway = true;
    }
  }

  function refreshLater(): void {
    if (isStopped) return;
    timer = setTimeout(() => {
      refreshing = refresh().finally(refreshLater);
    }, refreshIntervalMs);
  }

  return {
    placesOfGroup: (groupId) => placesByGroup.get(groupId) ?? [],
    resolversOf(place) {
      for (const row of lookupOrder(place)) {
        const resolvers = resolversByPlace.get(placeKey(row));
        if (resolvers !== undefined) return resolvers;
      }
      return undefined;
    },
    async refreshForUnknown() {
      if (!isDatabaseAway) await refresh();
    },
    async publishChange() {
      bus.publish(internalSubjects.definitionsChanged);
      await refresh();
    },
    async start() {
      subscription = bus.subscribe(internalSubjects.definitionsChanged, () => {
        refreshing = refresh();
      });
      // The first read may wait for a database that is away; serving does not wait for it.
      refreshing = refresh().finally(refreshLater);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await subscription?.drain();
      await refreshing;
    },
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
