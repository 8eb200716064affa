// A replica of the crontab service, and the calls of its API that benches make.
import { z } from 'zod';
import type { CrontabTaskAdd } from '../../../contracts/crontab.ts';
import { crontabStates } from '../../../contracts/crontab.ts';
import { crontabCalls } from '../../../contracts/crontab-api.ts';
import type { TestService } from '../../helpers/processes.ts';
import { type BenchContext, verify } from '../harness/bench.ts';

export type CrontabService = {
  readonly service: TestService;
  /** In one request; resolves with their ids, in the same order. Throws unless every one of them was stored. */
  addTasks(tasks: readonly CrontabTaskAdd[]): Promise<string[]>;
  /** In one request. Throws unless every one of them was disabled. */
  pauseTasks(taskIds: readonly string[]): Promise<void>;
};

/** Starts `services/crontab/main.ts` on a database, with the settings that it has by default; it ends with the bench. */
export async function startCrontab(
  { platform, startService }: Pick<BenchContext, 'platform' | 'startService'>,
  databaseUrl: string,
): Promise<CrontabService> {
  const service = await startService('crontab', {
    NATS_URL: await platform.natsUrl(),
    DATABASE_URL: databaseUrl,
  });

  async function call(name: 'addTask' | 'pauseTask', taskList: readonly unknown[]): Promise<string[]> {
    const { path, reply } = crontabCalls[name];
    const response = await fetch(`${service.url}${path}`, {
      method: 'POST',
      body: JSON.stringify({ task_list: taskList }),
    });
    const { state, msg, data } = reply.extend({ data: z.unknown() }).parse(await response.json());
    verify(state === crontabStates.ok, `${path}: ${state} ${msg}`);
    const { task_result: results } = reply.shape.data.parse(data);
    const fault = results.find((each) => each.state !== crontabStates.ok);
    verify(fault === undefined, `${path}: ${fault?.name} ${fault?.err}`);
    verify(results.length === taskList.length, `${path}: ${results.length} results of ${taskList.length}`);
    return results.map(({ task_id: id }) => id);
  }

  return {
    service,
    addTasks: (tasks) => call('addTask', tasks),
    async pauseTasks(taskIds) {
      await call(
        'pauseTask',
        taskIds.map((id) => ({ task_id: id })),
      );
    },
  };
}
