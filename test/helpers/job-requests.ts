// Requests of jobs, as callers submit them: small ones, and such that take long.
import { createSeededRandom } from './seeded-random.ts';

type Policy = Record<string, unknown>;

/** Two nodes and the links between them. */
export const twoNodes = {
  nodes: [
    { id: 'P1', ip: '1.1.1.1', sid: 60001 },
    { id: 'P2', ip: '2.2.2.2', sid: 60002 },
  ],
  links: [
    { id: 'P1:30012', local: 'P1', remote: 'P2', sid: 30012, igp: 10, te: 10, delay: 100, bandwidth: 10 },
    { id: 'P2:30021', local: 'P2', remote: 'P1', sid: 30021, igp: 10, te: 10, delay: 100, bandwidth: 10 },
  ],
};

export const smallPolicy = { id: 'policy-1', headend: 'P1', tailend: 'P2' };
export const smallRequest = { ...twoNodes, sr_policy: smallPolicy };

/** A square of nodes, each linked to its neighbours with costs by chance, and policies across it, by chance too. */
export function squareNetwork(side: number, policies: number) {
  const random = createSeededRandom(side);
  const id = (row: number, column: number) => `N${row}-${column}`;
  const places = Array.from({ length: side * side }, (_, index) => ({
    row: Math.floor(index / side),
    column: index % side,
  }));
  const nodes = places.map(({ row, column }, index) => ({ id: id(row, column), sid: 10_000 + index }));
  const links = places.flatMap(({ row, column }) =>
    [
      { row: row + 1, column },
      { row, column: column + 1 },
    ]
      .filter((other) => other.row < side && other.column < side)
      .flatMap((other) => {
        const ends = [id(row, column), id(other.row, other.column)];
        return [ends, ends.toReversed()].map(([local, remote]) => ({
          local,
          remote,
          igp: 1 + random.below(20),
        }));
      }),
  );
  const srPolicy = Array.from({ length: policies }, (_, index): Policy => {
    const headend = random.pick(nodes).id;
    const tailend = random.pick(nodes.filter((node) => node.id !== headend)).id;
    return { id: `policy-${index}`, headend, tailend };
  });
  return {
    nodes,
    links: links.map((link, index) => ({ ...link, id: `L${index}`, sid: 100_000 + index, bandwidth: 100 })),
    sr_policy: srPolicy,
  };
}

/** Each policy takes the better part of a second: its waypoints lead back and forth, and no path visits them without a loop. */
export function slowRequest(policies: number) {
  const ends = { headend: 'N29-24', tailend: 'N8-11' };
  const include = ['N3-3', 'N20-20', 'N4-4', 'N21-21'];
  return {
    ...squareNetwork(30, 0),
    sr_policy: Array.from({ length: policies }, (_, index) => ({ id: `policy-${index}`, ...ends, include })),
    global: { reopt_mode: 'loose', algorithm: [{ algo: 1, top: 1 }] },
  };
}

const linkOf = (id: string, local: string, remote: string, sid: number) => ({
  id,
  local,
  remote,
  sid,
  igp: 10,
  bandwidth: 10,
});

/** A link that carries nine tenths of its bandwidth, and a way around it. */
export const congestedRequest = {
  nodes: ['P1', 'P2', 'P3'].map((id, index) => ({ id, sid: 60_001 + index })),
  links: [
    { ...linkOf('P1:30012', 'P1', 'P2', 30_012), traffic_flow: 9 },
    linkOf('P1:30013', 'P1', 'P3', 30_013),
    linkOf('P3:30032', 'P3', 'P2', 30_032),
  ],
  sr_policy: [{ ...smallPolicy, priority: 1, traffic_flow: 5, path: [[['P1', 'P1:30012', 'P2']]] }],
  congested_link: ['P1:30012'],
};
