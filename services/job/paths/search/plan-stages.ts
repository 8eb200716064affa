// Cuts the way over waypoints into stages: every loopless path that passes them in order is one path of each stage.
import type { PathSearch, Waypoint } from './best-paths.ts';

/** From one node that has to be passed to the next one. */
export type Stage = {
  from: number;
  to: number;
  /** The link that the stage consists of, where a waypoint says so. */
  forced: number | undefined;
  /** By link: 0 for those that cannot be taken, nor lead past a node that belongs to another stage. */
  isUsable: Uint8Array;
};

/** Undefined where no loopless path can pass the waypoints in this order. */
export function planStages(search: Omit<PathSearch, 'costs' | 'bandwidths' | 'sorter'>): Stage[] | undefined {
  const { topology, isUsable } = search;
  const legs = listLegs(search);
  const checkpoints = new Set([search.head, ...legs.map(({ to }) => to)]);
  // Without loops no node is passed twice.
  if (checkpoints.size !== legs.length + 1) return undefined;
  if (legs.some(({ forced }) => forced !== undefined && isUsable[forced] === 0)) return undefined;
  if (legs.length === 1) return legs.map((leg) => ({ ...leg, isUsable }));
  const isInner = isUsable.map((usable, link) => {
    const from = topology.from[link] as number;
    const to = topology.to[link] as number;
    return usable === 1 && !checkpoints.has(from) && !checkpoints.has(to) ? 1 : 0;
  });
  return legs.map((leg) => ({ ...leg, isUsable: openEnds(search, leg, isInner, checkpoints) }));
}

type Leg = Omit<Stage, 'isUsable'>;

function listLegs({
  topology,
  head,
  tail,
  via,
}: Pick<PathSearch, 'topology' | 'head' | 'tail' | 'via'>): Leg[] {
  const legs: Leg[] = [];
  let at = head;
  const advance = (to: number, forced?: number) => {
    legs.push({ from: at, to, forced });
    at = to;
  };
  const [last] = via.slice(-1);
  for (const waypoint of via) {
    if (waypoint.kind === 'node') {
      // A node right after a link that leads to it is passed already.
      if (waypoint.node !== at || legs.length === 0) advance(waypoint.node);
      continue;
    }
    const from = topology.from[waypoint.link] as number;
    if (from !== at) advance(from);
    advance(topology.to[waypoint.link] as number, waypoint.link);
  }
  if (at !== tail || !endsWithLink(last)) advance(tail);
  return legs;
}

function endsWithLink(waypoint: Waypoint | undefined): boolean {
  return waypoint?.kind === 'link';
}

/** The links between inner nodes, and those that leave the first node of the leg or lead to its last. */
function openEnds(
  { topology, isUsable }: Pick<PathSearch, 'topology' | 'isUsable'>,
  { from, to }: Leg,
  isInner: Uint8Array,
  checkpoints: ReadonlySet<number>,
): Uint8Array {
  const isOpen = isInner.slice();
  const { outgoing, incoming } = topology;
  for (
    let place = outgoing.offsets[from] as number;
    place < (outgoing.offsets[from + 1] as number);
    place += 1
  ) {
    const link = outgoing.links[place] as number;
    const next = topology.to[link] as number;
    if (next === to || !checkpoints.has(next)) isOpen[link] = isUsable[link] as number;
  }
  for (let place = incoming.offsets[to] as number; place < (incoming.offsets[to + 1] as number); place += 1) {
    const link = incoming.links[place] as number;
    const before = topology.from[link] as number;
    if (before === from || !checkpoints.has(before)) isOpen[link] = isUsable[link] as number;
  }
  return isOpen;
}
