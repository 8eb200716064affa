// Jobs: computations that take longer than a reply may, submitted and asked about (spec/async-job.rst).
import { z } from 'zod';
import { pathRequestSchemas } from './path-request.ts';
import { oneShootVerboseRequestSchema } from './probe.ts';
import { textSchema } from './text.ts';

/** A probe whose cells are too many for one reply: what `probe.task.dns_result.one_shoot.verbose` takes. */
export const dnsJobRequestSchema = oneShootVerboseRequestSchema;

/** The request of each type of job. */
export const jobRequestSchemas = { ...pathRequestSchemas, dns_result: dnsJobRequestSchema } as const;

export type JobType = keyof typeof jobRequestSchemas;
export const jobTypes = [
  'bod_pasta',
  'nonbod_pasta',
  'bod_modified',
  'bod_reopt',
  'nonbod_reopt',
  'bod_congest_reopt',
  'dns_result',
] as const satisfies readonly JobType[];
export const jobTypeSchema = z.enum(jobTypes, { error: `expected one of ${jobTypes.join(', ')}` });

/** From SUCCESS or FAILURE on a job never changes any more. */
export const jobStates = ['PENDING', 'SUCCESS', 'FAILURE'] as const;
export type JobState = (typeof jobStates)[number];

export const jobIdSchema = z.guid('expected the id of a task').transform((id) => id.toLowerCase());

/** The caller's own name for a submission, which may then be repeated: the first one counts. */
export const idempotencyKeySchema = textSchema(255).min(1, 'is empty');
