// A replica of the dispatch service, and the calls of its API that benches make.
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { type DispatchTaskState, dispatchStatuses } from '../../../contracts/dispatch.ts';
import { dispatchCalls, dispatchErrorSchema } from '../../../contracts/dispatch-api.ts';
import { waitUntil } from '../../../infra/local-stack/wait-until.ts';
import type { TestService } from '../../helpers/processes.ts';
import type { SshNodes } from '../../helpers/ssh-nodes.ts';
import { type BenchContext, verify } from '../harness/bench.ts';
import type { BenchRun } from './dispatch-content.ts';

/** Beyond this something hangs. */
const runLimitMs = 180_000;

export type DispatchService = {
  readonly service: TestService;
  /** Resolves with the id of the task. Throws unless it was stored. */
  run(run: BenchRun): Promise<number>;
  check(id: number): Promise<DispatchTaskState>;
  /** Resolves when the task has ended; asks again after so many milliseconds. */
  waitForEnd(id: number, options: { pollMs: number }): Promise<DispatchTaskState>;
  /** Resolves when nothing of it runs any more. */
  stop(id: number): Promise<void>;
};

/** Starts `services/dispatch/main.ts`, with the settings that it has by default but for the nodes' keys. */
export async function startDispatch(
  { startService }: Pick<BenchContext, 'startService'>,
  options: {
    databaseUrl: string;
    folder: string;
    login: Pick<SshNodes, 'keyFile' | 'knownHostsFile' | 'user'>;
  },
): Promise<DispatchService> {
  const { databaseUrl, folder, login } = options;
  const service = await startService('dispatch', {
    DATABASE_URL: databaseUrl,
    DISPATCH_FOLDER: folder,
    DISPATCH_SSH_KEY: login.keyFile,
    DISPATCH_KNOWN_HOSTS: login.knownHostsFile,
  });
  const correlation = randomUUID();

  async function call<Reply>(
    { path, reply }: { path: string; reply: z.ZodType<Reply> },
    body: object,
  ): Promise<Reply> {
    const response = await fetch(`${service.url}${path}`, {
      method: 'POST',
      headers: { 'X-CORRELATION-ID': correlation, 'X-RESOURCE': 'bench' },
      body: JSON.stringify(body),
    });
    const answer: unknown = await response.json();
    const refusal = dispatchErrorSchema.safeParse(answer);
    verify(!refusal.success, `${path}: ${refusal.data?.message}`);
    return reply.parse(answer);
  }

  async function check(id: number): Promise<DispatchTaskState> {
    return (await call(dispatchCalls.check, { id })).content;
  }

  return {
    service,
    async run({ nodes, tasks, params, forks }) {
      const { content } = await call(dispatchCalls.run, {
        nodes: nodes.map(({ text }) => text),
        user: login.user,
        name: randomUUID(),
        tasks,
        params,
        fork_num: forks,
      });
      return content.id;
    },
    check,
    async waitForEnd(id, { pollMs }) {
      const end = await waitUntil(
        async () => {
          const state = await check(id);
          return state.status > dispatchStatuses.running ? state : null;
        },
        { timeoutMs: runLimitMs, intervalMs: pollMs },
      );
      verify(end !== null, `task ${id} has not ended after ${runLimitMs / 1000} s`);
      return end;
    },
    async stop(id) {
      await call(dispatchCalls.stop, { id });
    },
  };
}
