// One table: every call that the gateway answers, and what answers it.
import { headers } from '../../contracts/subjects.ts';
import { defineEndpoint, type Endpoint, type Reply } from '../../infra/bus/serve.ts';
import type { AgentDirectory } from './agent-directory.ts';
import type { DefinitionCache } from './definition-cache.ts';
import type { DefinitionStore } from './definition-store.ts';
import type { HistoryPlaces } from './history-places.ts';
import type { Page } from './page.ts';
import type { ResultStore } from './result-store.ts';
import type { ProbeRunner } from './run-probe.ts';
import type { SlotStore } from './slot-store.ts';
import type { TaskStore } from './task-store.ts';

/** Binds every call of the contract to what answers it. */
export function createEndpoints(options: {
  runner: ProbeRunner;
  tasks: TaskStore;
  results: ResultStore;
  slots: SlotStore;
  historyPlaces: HistoryPlaces;
  store: DefinitionStore;
  definitions: Pick<DefinitionCache, 'publishChange'>;
  directory: Pick<AgentDirectory, 'describe'>;
  /** Requests of one kind held at once. */
  maxProbes: number;
  maxQueries: number;
}): Endpoint[] {
  const {
    runner,
    tasks,
    results,
    slots,
    historyPlaces,
    store,
    definitions,
    directory,
    maxProbes,
    maxQueries,
  } = options;

  return [
    defineEndpoint('oneShoot', maxProbes, runner.oneShoot),
    defineEndpoint('oneShootVerbose', maxProbes, runner.oneShootVerbose),

    defineEndpoint('taskGet', maxQueries, async (request) => {
      const { encoded, nextCursor } = await tasks.list(request);
      return { encoded, ...cursorHeader(nextCursor) };
    }),
    defineEndpoint('taskCreate', maxQueries, async (task) => ({ body: await tasks.create(task) })),
    defineEndpoint('taskUpdate', maxQueries, async (change) => ({ body: await tasks.update(change) })),
    defineEndpoint('taskDelete', maxQueries, async (key) => {
      await tasks.delete(key.task_id);
      return { body: key };
    }),

    defineEndpoint('taskResultGet', maxQueries, async (request) => ({
      body: await historyPlaces.take(() => results.list(request)),
    })),
    defineEndpoint('taskSlotGet', maxQueries, async (request) => ({
      body: await historyPlaces.take(() => slots.list(request)),
    })),

    defineEndpoint('domainGroupGet', maxQueries, async (request) =>
      formatPage(await store.listDomainGroups(request)),
    ),
    defineEndpoint('domainGroupCreate', maxQueries, async (group) => ({
      body: await store.createDomainGroup(group),
    })),
    defineEndpoint('domainGroupUpdate', maxQueries, async (change) => ({
      body: await store.updateDomainGroup(change),
    })),
    defineEndpoint('domainGroupDelete', maxQueries, async (key) => {
      await store.deleteDomainGroup(key.id);
      return { body: key };
    }),

    defineEndpoint('groupDetailGet', maxQueries, async () => ({ body: await store.listGroupDetails() })),
    defineEndpoint('groupDetailSet', maxQueries, async (group) => {
      const body = await store.setGroupDetails(group);
      await definitions.publishChange();
      return { body };
    }),
    defineEndpoint('groupDetailDelete', maxQueries, async (key) => {
      await store.deleteGroup(key.group_id);
      await definitions.publishChange();
      return { body: key };
    }),

    defineEndpoint('localDnsGet', maxQueries, async () => ({ body: await store.listLocalDns() })),
    defineEndpoint('localDnsSet', maxQueries, async (row) => {
      const body = await store.setLocalDns(row);
      await definitions.publishChange();
      return { body };
    }),
    defineEndpoint('localDnsDelete', maxQueries, async (place) => {
      await store.deleteLocalDns(place);
      await definitions.publishChange();
      return { body: place };
    }),

    defineEndpoint('agentGet', maxQueries, async () => ({ body: directory.describe() })),
  ];
}

/** A list as it stands in the contract; where it goes on is told in a header. */
function formatPage({ rows, nextCursor }: Page<unknown>): Reply {
  return { body: rows, ...cursorHeader(nextCursor) };
}

function cursorHeader(nextCursor: string | undefined): Pick<Reply, 'headers'> {
  return nextCursor === undefined ? {} : { headers: { [headers.nextCursor]: nextCursor } };
}
