// Small networks for path computations, written down by hand.
import {
  type PathLink,
  type PathNode,
  pathLinkSchema,
  pathNodeSchema,
} from '../../contracts/path-request.ts';

type GivenLink = Partial<PathLink>;

/**
 * `'A-B'`: a link in each direction; `'A>B'`: one only. Each is called `A>B`, the second between the same nodes `A>B#2`,
 * and has metrics of 10, a delay of 100 and a bandwidth of 30 unless other ones are given.
 */
export function createPathNetwork(
  given: readonly (string | [ends: string, given: GivenLink])[],
  givenNodes: Record<string, Partial<PathNode>> = {},
): { nodes: PathNode[]; links: PathLink[] } {
  const nodes = new Map<string, PathNode>();
  const links = new Map<string, PathLink>();
  const addNode = (id: string): void => {
    if (nodes.has(id)) return;
    const number = nodes.size + 1;
    const node = { id, ip: `${number}.${number}.${number}.${number}`, sid: 60_000 + number };
    nodes.set(id, pathNodeSchema.parse({ ...node, ...givenNodes[id] }));
  };
  const addLink = (local: string, remote: string, fields: GivenLink): void => {
    let id = `${local}>${remote}`;
    for (let number = 2; links.has(id); number += 1) id = `${local}>${remote}#${number}`;
    const defaults = { sid: 30_000 + links.size, igp: 10, te: 10, delay: 100, bandwidth: 30 };
    links.set(id, pathLinkSchema.parse({ id, local, remote, ...defaults, ...fields }));
  };
  for (const each of given) {
    const [ends, fields] = typeof each === 'string' ? [each, {}] : each;
    const [local = '', remote = ''] = ends.split(/[->]/);
    addNode(local);
    addNode(remote);
    addLink(local, remote, fields);
    if (ends.includes('-')) addLink(remote, local, fields);
  }
  return { nodes: [...nodes.values()], links: [...links.values()] };
}
