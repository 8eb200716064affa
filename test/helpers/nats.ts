// NATS servers for tests: the one that all share, and own ones that a test may kill.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { startNatsServer as startServer } from '../../infra/local-stack/nats-server.ts';

export type TestNatsServer = {
  readonly url: string;
  readonly port: number;
  /** Of the present run. */
  pid(): number;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Runs again on the same port, after `kill` or instead of the present run. */
  restart(): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
};

/** An own nats-server on a free port; `extraConfig` takes lines of its configuration, such as users. */
export async function startNatsServer(options: { extraConfig?: string } = {}): Promise<TestNatsServer> {
  const program = inject('natsServerProgram');
  const dataFolder = await mkdtemp(join(tmpdir(), 'probe-task-nats-'));
  const start = (preferredPort: number) => startServer({ ...options, program, dataFolder, preferredPort });
  let server = await start(0);
  const { url, port } = server;

  async function kill(): Promise<void> {
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
  }

  return {
    url,
    port,
    pid: () => server.pid,
    kill,
    async restart() {
      await server.stop();
      server = await start(port);
      if (server.port !== port) throw new Error(`port ${port} was taken by another program meanwhile`);
    },
    async stop() {
      await server.stop();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}
