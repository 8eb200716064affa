// The agents that are alive → a table, region by region. Pure.
import type { AgentInfo } from '../../../contracts/agent.ts';
import { matchesPlace, type PlacePattern } from '../../../contracts/place.ts';
import { printable } from '../terminal/printable-text.ts';
import { type Column, nothing, renderTable, type TableOptions } from '../terminal/render-table.ts';

const columns: Column<AgentInfo>[] = [
  { title: 'AGENT', isElastic: true, cell: ({ agent_id: id }) => printable(id) },
  { title: 'PLACE', isElastic: true, cell: (agent) => printable(formatPlace(agent)) },
  { title: 'GROUPS', cell: ({ groups }) => groups.join(',') || nothing },
  { title: 'VERSION', cell: ({ version }) => printable(version) },
  { title: 'RUNNING', align: 'right', cell: ({ load }) => String(load.running) },
  { title: 'WAITING', align: 'right', cell: ({ load }) => String(load.waiting) },
  { title: 'SEEN ms', align: 'right', cell: ({ last_seen_ms: ms }) => String(ms) },
];

export function selectAgents(agents: readonly AgentInfo[], region: PlacePattern | undefined): AgentInfo[] {
  return agents
    .filter((agent) => region === undefined || matchesPlace(region, agent))
    .toSorted(
      (one, other) =>
        formatPlace(one).localeCompare(formatPlace(other), 'en') ||
        one.agent_id.localeCompare(other.agent_id, 'en'),
    );
}

/** One line for each agent, and how many there are in how many places; ends with a newline. */
export function renderAgents(agents: readonly AgentInfo[], options: TableOptions): string {
  if (agents.length === 0) return 'no agents\n';
  const places = new Set(agents.map(formatPlace)).size;
  const counts = `${agents.length} ${agents.length === 1 ? 'agent' : 'agents'} in ${places} ${places === 1 ? 'place' : 'places'}`;
  return `${[...renderTable(agents, { columns }, options), '', counts].join('\n')}\n`;
}

function formatPlace({ country, province, city, carrier }: PlacePattern): string {
  return [country, province, city, carrier].join(',');
}
