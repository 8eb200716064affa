// Requests for paths written down by hand, and what is computed for them.
import { expect } from 'vitest';
import type { z } from 'zod';
import { type AlgorithmReply, pathReplySchema } from '../../../../../contracts/path-reply.ts';
import {
  type PathJobType,
  type PathRequest,
  pathRequestSchemas,
} from '../../../../../contracts/path-request.ts';
import { computePaths, findPathRequestFaults } from '../../../../../services/job/paths/compute.ts';

const schemas: { [Type in PathJobType]: z.ZodType<PathRequest<Type>> } = pathRequestSchemas;

/** Expects that the request fits its schema. */
export function parseRequest<Type extends PathJobType>(type: Type, given: unknown): PathRequest<Type> {
  return schemas[type].parse(given);
}

/** Expects a request without faults, and a reply as the contract has it. Every reading of the clock is 1 ms later. */
export function runComputation<Type extends PathJobType>(type: Type, given: unknown): AlgorithmReply[] {
  const request = parseRequest(type, given);
  expect(findPathRequestFaults(type, request)).toEqual([]);
  let milliseconds = 0;
  const reply = computePaths(type, request, {
    now: () => {
      milliseconds += 1;
      return milliseconds;
    },
  });
  expect(pathReplySchema.parse(reply)).toEqual(reply);
  return reply.data;
}

export const shortest = { algo: 0 } as const;
export const longer = { algo: 1 } as const;

/** One node for each letter. */
export function nodesOf(letters: string) {
  return [...letters].map((id, index) => ({ id, ip: `192.0.2.${index}`, sid: 60_000 + index }));
}

/** `A>B` from A to B. */
export function linkOf<Given extends object>(id: string, given?: Given) {
  const [local = '', remote = ''] = id.split('>');
  const sid = 100 * local.charCodeAt(0) + remote.charCodeAt(0);
  return { id, local, remote, sid, igp: 10, te: 10, delay: 1, bandwidth: 100, ...given };
}

/** `['A', 'A>B', 'B']`, for the nodes that a path passes. */
export function hopsOf(letters: string): string[] {
  return [...letters].flatMap((letter, place) =>
    place === 0 ? [letter] : [`${letters[place - 1]}>${letter}`, letter],
  );
}

/** A way of one segment without choice. */
export function wayOf(letters: string): string[][][] {
  return [[hopsOf(letters)]];
}

/** The paths of each policy of a reply for several. */
export function pathsById(reply: AlgorithmReply | undefined): Record<string, string[][]> {
  if (reply === undefined || !Array.isArray(reply.data)) throw new Error('the reply has no list of policies');
  return Object.fromEntries(reply.data.map(({ id, data }) => [id, data.paths]));
}
