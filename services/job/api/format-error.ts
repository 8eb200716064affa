// A request that failed, in the shape of every reply of the service.
import type { ProbeTaskError } from '../../../contracts/errors.ts';
import { type JobError, jobErrorOf } from '../../../contracts/job-api.ts';

/** `{status: false, info: {code, message, retryable, details?}, data: {}}`. */
export function formatJobError({ code, message, details }: ProbeTaskError): JobError {
  return jobErrorOf(code, message, details);
}
