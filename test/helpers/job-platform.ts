// The job service as real processes on one database.
import { z } from 'zod';
import type { TestService } from './processes.ts';
import { createServicePlatform, type ServicePlatform } from './service-platform.ts';
import { until } from './test-client.ts';

const stateSchema = z.object({
  task_id: z.string(),
  task_state: z.enum(['PENDING', 'SUCCESS', 'FAILURE']),
  task_status: z.string(),
  info: z.unknown(),
  data: z.unknown(),
});
export type JobStatus = z.infer<typeof stateSchema>;
const submittedSchema = z.object({ status: z.literal(true), data: z.object({ task_id: z.string() }) });
const checkedSchema = z.object({ status: z.literal(true), data: stateSchema });

export type JobReplica = TestService & {
  /** Resolves with whatever comes back. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  /** Submits a job and resolves with its id. */
  submit(type: string, request: object): Promise<string>;
  check(type: string, taskId: string): Promise<JobStatus>;
  /** Resolves when the job has ended. */
  finished(type: string, taskId: string): Promise<JobStatus>;
};

export type JobPlatform = ServicePlatform & {
  startReplica(env?: Record<string, string>): Promise<JobReplica>;
  /** Resolves when a replica has been working on the job for a moment. */
  begun(taskId: string): Promise<void>;
  /** Lets the leases of all jobs end that are held now; nobody has to wait half a minute for it. */
  endLeases(): Promise<void>;
};

/** On a fresh database; what is started here ends with the present test. */
export async function startJobPlatform(options: { natsUrl: string }): Promise<JobPlatform> {
  const platform = await createServicePlatform(options);
  const { query, readNumber } = platform;

  return {
    ...platform,
    async startReplica(env = {}) {
      const service = await platform.start('job', { JOB_PORT: '0', JOB_THREADS: '1', ...env });
      async function call(method: string, path: string, body?: unknown) {
        const response = await fetch(`${service.url}${path}`, {
          method,
          ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        });
        const reply: unknown = await response.json();
        return { status: response.status, body: reply };
      }
      async function check(type: string, taskId: string): Promise<JobStatus> {
        const { body } = await call('GET', `/api/job/check_status?task_id=${taskId}&type=${type}`);
        return checkedSchema.parse(body).data;
      }
      return {
        ...service,
        call,
        check,
        async submit(type, request) {
          const { body } = await call('POST', '/api/job/submit', { type, ...request });
          const reply = submittedSchema.safeParse(body);
          if (!reply.success) throw new Error(`not submitted: ${JSON.stringify(body)}`);
          return reply.data.data.task_id;
        },
        async finished(type, taskId) {
          await until(async () => (await check(type, taskId)).task_state !== 'PENDING');
          return check(type, taskId);
        },
      };
    },
    begun: (taskId) =>
      until(async () => {
        const begun = 'select count(*) from job_task where task_id = $1 and started_at is not null';
        return (await readNumber(begun, [taskId])) === 1;
      }),
    async endLeases() {
      await query(`update job_run set lease_until = now() - interval '1 s' where state = 1`);
    },
  };
}
