// What answers each call of the dispatch channel.
import { dispatchLogRequestSchema, dispatchTaskKeySchema } from '../../../contracts/dispatch.ts';
import { type dispatchCalls, dispatchCodes } from '../../../contracts/dispatch-api.ts';
import type { HttpHandlers } from '../../../infra/http/register-calls.ts';
import type { DispatchApiOptions } from './api-options.ts';
import { checkTask } from './check-task.ts';
import { getLog } from './get-log.ts';
import { runInParallel } from './parallel-run.ts';
import { readRequest } from './read-request.ts';
import { runTask } from './run-task.ts';
import { stopTask } from './stop-task.ts';

/**
 * One function for each call. Each throws `INVALID_REQUEST` with all that is wrong with a request, and `UNAVAILABLE` while
 * the database is away. Who asked for what is found in the log by the id of the request; nothing else of it is logged.
 */
export function createDispatchHandlers(options: DispatchApiOptions): HttpHandlers<typeof dispatchCalls> {
  const { database, onRunAdded, logger } = options;

  return {
    async run(body, context) {
      const id = await runTask(body, context, options);
      onRunAdded();
      logger.info({ request_id: context.requestId, task_id: id }, 'task stored');
      return succeed({ id: Number(id) });
    },
    async parallelRun(body, context) {
      const { id, children } = await runInParallel(body, context, options);
      onRunAdded();
      logger.info({ request_id: context.requestId, task_id: id, nodes: children.length }, 'tasks stored');
      return succeed({
        id: Number(id),
        children: children.map((child) => ({ id: Number(child.id), node: child.node })),
      });
    },
    async stop(body, context) {
      const { request } = readRequest(dispatchTaskKeySchema, body, context);
      const id = await stopTask(request, options, context.signal);
      logger.info({ request_id: context.requestId, task_id: id }, 'task stopped');
      return succeed({});
    },
    async check(body, context) {
      const { request } = readRequest(dispatchTaskKeySchema, body, context);
      return succeed(await checkTask(request, database));
    },
    async getlog(body, context) {
      const { origin, request } = readRequest(dispatchLogRequestSchema, body, context);
      return getLog({ ...request, globalId: origin.globalId }, database);
    },
  };
}

function succeed<Content>(content: Content): { code: typeof dispatchCodes.success; content: Content } {
  return { code: dispatchCodes.success, content };
}
