// Group places and regional resolvers, read from Postgres and kept: the last known good ones while it is away.
import { setTimeout as pause } from 'node:timers/promises';
import type { GroupDetail, LocalDns } from '../../contracts/definitions.ts';
import type { PlacePattern } from '../../contracts/place.ts';
import { createResolverLookup, type ResolverLookup } from '../../contracts/select-agents.ts';
import { internalSubjects } from '../../contracts/subjects.ts';
import type { Bus, Subscription } from '../../infra/bus/bus.ts';
import type { Component } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/logger.ts';

export type DefinitionCache = Component & {
  placesOfGroup(groupId: number): PlacePattern[];
  resolversOf: ResolverLookup;
  /**
   * Reads anew because this group is not known here. Takes a fifth of a second at most, reads once for all who ask at
   * the same time, and not again within a second for a group that was not found.
   */
  refreshForUnknown(groupId: number): Promise<void>;
  /** Reads anew after a change made here, and tells the other gateways to. */
  publishChange(): Promise<void>;
};

/** Safety net for a change whose message was lost. */
const refreshIntervalMs = 5000;
/** What a probe waits for a group that is not known. */
const unknownWaitMs = 200;
const unknownTermMs = 1000;
const maxSought = 10_000;

/** Reads at the start, every five seconds, and when a gateway says that something changed. */
export function createDefinitionCache(options: {
  bus: Bus;
  readGroupDetails: () => Promise<GroupDetail[]>;
  readLocalDns: () => Promise<LocalDns[]>;
  logger: Logger;
}): DefinitionCache {
  const { bus, readGroupDetails, readLocalDns, logger } = options;
  let placesByGroup = new Map<number, PlacePattern[]>();
  let resolversOf = createResolverLookup([]);
  let isDatabaseAway = false;
  let started = 0;
  let applied = 0;
  let timer: NodeJS.Timeout | undefined;
  let subscription: Subscription | undefined;
  let refreshing: Promise<void> = Promise.resolve();
  let isStopped = false;
  /** Groups that were not known, and when they were last looked for. */
  const sought = new Map<number, number>();
  let searching: Promise<void> | undefined;

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
      resolversOf = createResolverLookup(resolvers);
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
    resolversOf: (place) => resolversOf(place),
    async refreshForUnknown(groupId) {
      const now = performance.now();
      const soughtAt = sought.get(groupId);
      if (isDatabaseAway || (soughtAt !== undefined && now - soughtAt < unknownTermMs)) return;
      if (sought.size >= maxSought) sought.clear();
      sought.set(groupId, now);
      searching ??= refresh().finally(() => {
        searching = undefined;
      });
      await Promise.race([searching, pause(unknownWaitMs, undefined, { ref: false })]);
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
