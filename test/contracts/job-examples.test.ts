// The examples of the job service: what they ask for can be computed, and comes to what the document has.
import { expect, test } from 'vitest';
import { jobCalls } from '../../contracts/job-api.ts';
import { jobExamples } from '../../contracts/job-examples.ts';
import type { PathJobType, PathRequest } from '../../contracts/path-request.ts';
import { pathRequestSchemas } from '../../contracts/path-request.ts';
import { computePaths, findPathRequestFaults } from '../../services/job/paths/compute.ts';

const clock = { now: () => 0 };

function compute<Type extends PathJobType>(type: Type, request: PathRequest<Type>) {
  expect(findPathRequestFaults(type, request)).toEqual([]);
  return computePaths(type, request, clock);
}

test('the reply of the document is what comes of the request', () => {
  const request = jobCalls.asyncBodPasta.request.parse(jobExamples.asyncBodPasta.request);
  const shown = structuredClone(jobExamples.checkStatus.reply.data.data);
  expect(compute('bod_pasta', request)).toEqual(withoutTime(shown));
});

test('the other requests find what they ask for', () => {
  const { asyncBodModified, asyncNonbodPasta, asyncBodReoptimize, asyncNonbodReoptimize } = jobExamples;
  const replies = [
    compute('bod_modified', pathRequestSchemas.bod_modified.parse(asyncBodModified.request)),
    compute('nonbod_pasta', pathRequestSchemas.nonbod_pasta.parse(asyncNonbodPasta.request)),
    compute('bod_congest_reopt', pathRequestSchemas.bod_congest_reopt.parse(asyncBodReoptimize.request)),
    compute('nonbod_reopt', pathRequestSchemas.nonbod_reopt.parse(asyncNonbodReoptimize.request)),
  ];
  const found = replies.map(({ data }) => data.map(({ algo_type: algo, status }) => [algo, status]));
  expect(found).toEqual(
    replies.map(() => [
      [0, true],
      [1, true],
    ]),
  );
});

/** The seconds that it took are those of the day when the document was written. */
function withoutTime(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, item) => (key === 'time' ? 0 : item)));
}
