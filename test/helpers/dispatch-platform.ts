// The dispatch service as real processes on one database, with real SSH servers to run on.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { DispatchTaskState } from '../../contracts/dispatch.ts';
import { dispatchCalls } from '../../contracts/dispatch-api.ts';
import type { TestService } from './processes.ts';
import { createServicePlatform, type ServicePlatform } from './service-platform.ts';
import { type SshNodes, startSshNodes } from './ssh-nodes.ts';
import { until } from './test-client.ts';

export type DispatchReplica = TestService & {
  /** Posts to a path of the API; resolves with whatever comes back. */
  post(
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: unknown }>;
  /** Stores a task and resolves with its id; the fields of the document have their values unless told otherwise. */
  run(task: Record<string, unknown>, headers?: Record<string, string>): Promise<number>;
  check(id: number): Promise<DispatchTaskState>;
  /** Resolves when the task has ended. */
  finished(id: number): Promise<DispatchTaskState>;
};

export type DispatchPlatform = ServicePlatform & {
  /** DISPATCH_FOLDER of its replicas. */
  dispatchFolder: string;
  startReplica(env?: Record<string, string>): Promise<DispatchReplica>;
};

const runReply = z.object({ code: z.literal(0), content: z.object({ id: z.int() }) });
let serial = 0;

/** On a fresh database; what is started here ends with the present test. The key of the nodes lets the service in. */
export async function startDispatchPlatform(
  nodes: Pick<SshNodes, 'keyFile' | 'knownHostsFile' | 'user'>,
): Promise<DispatchPlatform> {
  const platform = await createServicePlatform({ natsUrl: inject('natsUrl') });
  const folder = await makeFolder();

  return {
    ...platform,
    dispatchFolder: folder,
    async startReplica(env = {}) {
      const service = await platform.start('dispatch', {
        DISPATCH_FOLDER: folder,
        DISPATCH_SSH_KEY: nodes.keyFile,
        DISPATCH_KNOWN_HOSTS: nodes.knownHostsFile,
        DISPATCH_USER: nodes.user,
        DISPATCH_PORT: '0',
        ...env,
      });
      async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
        const response = await fetch(`${service.url}${path}`, {
          method: 'POST',
          headers: { 'x-correlation-id': '16-16', 'x-resource': 'hubble', ...headers },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        });
        const reply: unknown = await response.json();
        return { status: response.status, body: reply };
      }
      async function check(id: number): Promise<DispatchTaskState> {
        const { body } = await post(dispatchCalls.check.path, { id });
        return dispatchCalls.check.reply.parse(body).content;
      }
      return {
        ...service,
        post,
        check,
        async run(task, headers) {
          serial += 1;
          const given = { user: null, name: `task-${serial}`, params: {}, fork_num: 5, ...task };
          return runReply.parse((await post(dispatchCalls.run.path, given, headers)).body).content.id;
        },
        async finished(id) {
          await until(async () => (await check(id)).status > 1);
          return check(id);
        },
      };
    },
  };
}

/** Until the present test ends. */
export async function startTestNodes(addresses: readonly string[]): Promise<SshNodes> {
  const nodes = await startSshNodes({ addresses, folder: await makeFolder() });
  onTestFinished(nodes.stop);
  return nodes;
}

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-dispatch-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
