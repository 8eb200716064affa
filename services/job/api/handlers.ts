// What answers each call of the job service.
import {
  type jobCalls,
  jobCancelRequestSchema,
  jobListRequestSchema,
  jobStatusRequestSchema,
  type SubmittedAs,
} from '../../../contracts/job-api.ts';
import { createOctetBudget } from '../../../infra/http/octet-budget.ts';
import type { HttpContext, HttpHandlers } from '../../../infra/http/register-calls.ts';
import type { JobApiOptions } from './api-options.ts';
import { cancelJob } from './cancel-job.ts';
import { checkStatus } from './check-status.ts';
import { listJobs } from './list-jobs.ts';
import { readRequest } from './read-request.ts';
import { submitJob } from './submit-job.ts';

const defaultMaxResultOctets = 128 * 1024 * 1024;

/**
 * One function for each call. Each throws `INVALID_REQUEST` with all that is wrong with a request, and `UNAVAILABLE` while
 * the database is away. Who asked for what is found in the log by the id of the request; nothing else of it is logged.
 */
export function createJobHandlers(options: JobApiOptions): HttpHandlers<typeof jobCalls> {
  const { database, limits, logger } = options;
  const budget = createOctetBudget(limits.maxResultOctets ?? defaultMaxResultOctets);

  function submitAs(submittedAs: SubmittedAs) {
    return async (octets: Uint8Array, context: HttpContext) => {
      const { taskId, type } = await submitJob(submittedAs, octets, context, options);
      logger.info({ request_id: context.requestId, task_id: taskId, type }, 'task stored');
      return succeed({ task_id: taskId });
    };
  }

  return {
    checkStatus: (query, context) =>
      checkStatus(readRequest(jobStatusRequestSchema, query), context, { database, budget }),
    submit: submitAs('submit'),
    asyncBodPasta: submitAs('bod_pasta'),
    asyncBodModified: submitAs('bod_modified'),
    asyncNonbodPasta: submitAs('nonbod_pasta'),
    asyncBodReoptimize: submitAs('bod_reoptimise'),
    asyncNonbodReoptimize: submitAs('nonbod_reopt'),
    async cancel(body, { requestId, signal }) {
      const { task_id } = readRequest(jobCancelRequestSchema, body);
      const { taskId, state } = await cancelJob(task_id, options, signal);
      logger.info({ request_id: requestId, task_id: taskId, state }, 'task to be cancelled');
      return succeed({ task_id: taskId, task_state: state });
    },
    list: async (query) => succeed(await listJobs(readRequest(jobListRequestSchema, query), database)),
  };
}

function succeed<Data>(data: Data): { status: true; info: never[]; data: Data } {
  return { status: true, info: [], data };
}
