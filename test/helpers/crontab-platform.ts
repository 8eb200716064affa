// The crontab service as real processes on one database, with a sink for its callbacks.
import type { z } from 'zod';
import { crontabCalls } from '../../contracts/crontab-api.ts';
import { type CallbackSink, startCallbackSink } from './callback-sink.ts';
import { keepUntilTestEnd } from './cleanup.ts';
import type { TestService } from './processes.ts';
import { createServicePlatform, type ServicePlatform } from './service-platform.ts';
import { until } from './test-client.ts';

export type Replica = TestService & {
  /** Makes one of `crontabCalls`; rejects for what is no reply of it. */
  post<Reply>(call: { path: string; reply: z.ZodType<Reply> }, body: unknown): Promise<Reply>;
};

/** One row of the log, times in milliseconds since the epoch. */
export type LogRow = {
  task_id: string;
  run_id: string;
  try: number;
  run_type: number;
  status: number;
  scheduled_ms: number;
  begin_ms: number;
  end_ms: number;
  resp: string;
  err: string;
  missed: number;
};

export type CrontabPlatform = ServicePlatform & {
  sink: CallbackSink;
  startReplica(env?: Record<string, string>): Promise<Replica>;
  /** Adds tasks that POST to `/<name>` of the sink every second unless told otherwise; resolves with their ids. */
  addTasks(replica: Replica, tasks: NewCrontabTask[]): Promise<string[]>;
  /** In the order of the nominal times. */
  readLog(taskId?: string): Promise<LogRow[]>;
  /** Disables all tasks and resolves when no run is left. */
  settle(replica: Replica): Promise<void>;
};

export type NewCrontabTask = { name: string } & Record<string, unknown>;

export async function startCrontabPlatform(options: { natsUrl: string }): Promise<CrontabPlatform> {
  const platform = await createServicePlatform(options);
  const sink = keepUntilTestEnd(await startCallbackSink());

  return {
    ...platform,
    sink,
    async startReplica(env = {}) {
      const service = await platform.start('crontab', { CRONTAB_PORT: '0', ...env });
      return {
        ...service,
        async post({ path, reply }, body) {
          const response = await fetch(`${service.url}${path}`, {
            method: 'POST',
            body: JSON.stringify(body),
          });
          return reply.parse(await response.json());
        },
      };
    },
    async addTasks(replica, tasks) {
      const { data } = await replica.post(crontabCalls.addTask, {
        task_list: tasks.map((task) => ({
          enable: 1,
          module: 1,
          type: 2,
          start_time: '* * * * * *',
          method: 'post',
          url: `${sink.url}/${task.name}`,
          ...task,
        })),
      });
      const fault = data.task_result.find(({ err }) => err !== '');
      if (fault !== undefined) throw new Error(fault.err);
      return data.task_result.map(({ task_id: id }) => id);
    },
    readLog: (taskId) =>
      platform.query<LogRow>(
        `select task_id, run_id, try, run_type, status, resp, err, missed,
           (extract(epoch from scheduled_at) * 1000)::float8 as scheduled_ms,
           (extract(epoch from begin_at) * 1000)::float8 as begin_ms,
           (extract(epoch from end_at) * 1000)::float8 as end_ms
         from crontab_log where $1::bigint is null or task_id = $1 order by scheduled_at, run_id, try`,
        [taskId ?? null],
      ),
    async settle(replica) {
      const rows = await platform.query<{ task_id: string }>('select task_id from crontab_task');
      await replica.post(crontabCalls.pauseTask, { task_list: rows });
      await until(async () => (await platform.readNumber('select count(*) from crontab_run')) === 0);
    },
  };
}
