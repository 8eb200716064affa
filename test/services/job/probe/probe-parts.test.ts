// How a probe of many targets is cut.
import { describe, expect, test } from 'vitest';
import {
  countQueries,
  halvePart,
  nextPart,
  type ProbePart,
} from '../../../../services/job/probe/probe-parts.ts';

/** All pairs of target and server of the parts that the smallest halves make, in order. */
function pairsOf(part: ProbePart): string[] {
  const halves = halvePart(part);
  if (halves !== undefined) return halves.flatMap(pairsOf);
  return [`${part.targets.from}-${part.targets.to}/${part.servers.from}-${part.servers.to}`];
}

describe('parts', () => {
  test('follow on each other until all targets are in one, and are of the size wanted', () => {
    const parts: ProbePart[] = [];
    for (let from = 0; from < 10; from = parts.at(-1)?.targets.to ?? 10) {
      parts.push(nextPart(from, { targets: 10, servers: 2, size: 7 }));
    }
    expect(parts.map(({ targets }) => targets)).toEqual([
      { from: 0, to: 3 },
      { from: 3, to: 6 },
      { from: 6, to: 9 },
      { from: 9, to: 10 },
    ]);
    expect(parts.map(countQueries)).toEqual([6, 6, 6, 2]);
  });

  test('have one target at least, and count one query of each where agents choose their servers', () => {
    expect(nextPart(4, { targets: 10, servers: 50, size: 7 })).toEqual({
      targets: { from: 4, to: 5 },
      servers: { from: 0, to: 50 },
    });
    expect(countQueries(nextPart(0, { targets: 10, servers: 0, size: 7 }))).toBe(7);
  });

  test('are halved by targets, then by servers, down to single queries', () => {
    const part = nextPart(3, { targets: 6, servers: 2, size: 100 });
    expect(pairsOf(part)).toEqual(['3-4/0-1', '3-4/1-2', '4-5/0-1', '4-5/1-2', '5-6/0-1', '5-6/1-2']);
    expect(pairsOf(nextPart(0, { targets: 2, servers: 0, size: 100 }))).toEqual(['0-1/0-0', '1-2/0-0']);
  });
});
