// What answers each call of the crontab service.
import type { z } from 'zod';
import { type CrontabItemResult, crontabStates } from '../../../contracts/crontab.ts';
import {
  crontabBatchSchema,
  type crontabCalls,
  crontabListRequestSchema,
  crontabLogRequestSchema,
} from '../../../contracts/crontab-api.ts';
import { faultsOf, invalidRequest } from '../../../contracts/errors.ts';
import type { Database } from '../../../infra/database/database.ts';
import type { HttpContext, HttpHandlers } from '../../../infra/http/register-calls.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { NetworkPolicy } from '../../../infra/network/network-policy.ts';
import { addTasks } from './add-tasks.ts';
import { deleteTasks } from './delete-tasks.ts';
import { listTasks } from './list-tasks.ts';
import { previewSchedule } from './preview-schedule.ts';
import { queryLog } from './query-log.ts';
import { runTasksAgain } from './run-tasks-again.ts';
import { pauseTasks, resumeTasks } from './switch-tasks.ts';
import { updateTasks } from './update-tasks.ts';

/**
 * One function for each call. Each throws `INVALID_REQUEST` for a request that is none of its kind as a whole, and
 * `UNAVAILABLE` while the database is away. `timeZone`: of tasks that name none. `onRunsAdded`: some are due at once.
 */
export function createCrontabHandlers(options: {
  database: Database;
  networks: NetworkPolicy;
  timeZone: string;
  onRunsAdded: () => void;
  logger: Logger;
}): HttpHandlers<typeof crontabCalls> {
  const { database, timeZone, onRunsAdded, logger } = options;

  /** Each item has its result; who changed tasks is found in the log by the id of the request. */
  function report(done: string, results: CrontabItemResult[], { requestId }: HttpContext) {
    const refused = results.filter(({ state }) => state !== crontabStates.ok).length;
    logger.info({ request_id: requestId, tasks: results.length - refused, refused }, done);
    return succeed({ task_result: results });
  }

  return {
    async addTask(body, context) {
      const { task_list } = parse(crontabBatchSchema, body);
      return report('tasks added', await addTasks(task_list, options), context);
    },
    async updateTask(body, context) {
      const { task_list } = parse(crontabBatchSchema, body);
      return report('tasks updated', await updateTasks(task_list, options), context);
    },
    async runAgainTask(body, context) {
      const { task_list } = parse(crontabBatchSchema, body);
      const results = await runTasksAgain(task_list, database);
      onRunsAdded();
      return report('tasks run again', results, context);
    },
    async pauseTask(body, context) {
      const { task_list } = parse(crontabBatchSchema, body);
      return report('tasks paused', await pauseTasks(task_list, database), context);
    },
    async resumeTask(body, context) {
      const { task_list } = parse(crontabBatchSchema, body);
      return report('tasks resumed', await resumeTasks(task_list, database), context);
    },
    async deleteTask(body, context) {
      const { task_list } = parse(crontabBatchSchema, body);
      return report('tasks deleted', await deleteTasks(task_list, database), context);
    },
    async queryTaskStatus(body) {
      return succeed(await queryLog(parse(crontabLogRequestSchema, body), database));
    },
    async listTask(body) {
      return succeed(await listTasks(parse(crontabListRequestSchema, body), database));
    },
    async preview(body) {
      return succeed(previewSchedule(body, { timeZone, nowMs: Date.now() }));
    },
  };
}

function parse<Request>(schema: z.ZodType<Request>, body: unknown): Request {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw invalidRequest(faultsOf(parsed.error), parsed.error.issues.length);
}

/** `msg` is empty: nothing is wrong with the request as a whole, whatever became of its items. */
function succeed<Data>(data: Data): { state: number; msg: string; data: Data } {
  return { state: crontabStates.ok, msg: '', data };
}
