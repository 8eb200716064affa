// A nats-server of our own, on loopback only.
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { lastLine } from './run-program.ts';
import { StackError } from './stack-error.ts';
import { type Child, type ChildExit, startChild } from './start-child.ts';
import { loopback, startOnFreePort } from './start-on-free-port.ts';
import { waitUntil } from './wait-until.ts';
import { createParentDeathWrapper } from './with-parent-death-signal.ts';

export type NatsServerOptions = {
  /** Path of the nats-server program. */
  program: string;
  /** State folder; the configuration goes to `<name>.conf` in it. */
  dataFolder: string;
  /** Of the process, its log and its configuration (default `nats-server`). */
  name?: string;
  /** Taken or not: the next free port is used then. 0 for any. */
  preferredPort: number;
  /** Further lines of configuration, such as users and permissions. */
  extraConfig?: string;
  signal?: AbortSignal | undefined;
};

export type NatsServer = {
  url: string;
  port: number;
  pid: number;
  exited: Promise<ChildExit>;
  stop(options?: { isForced?: boolean }): Promise<void>;
};

/** 8 MB: ten thousand tasks fit into one reply. */
export const maxPayloadBytes = 8 * 1024 * 1024;

const readyTimeoutMs = 15_000;
const graceMs = 5_000;
const greetingTimeoutMs = 2_000;
const maxGreetingChars = 16_384;

const greetingSchema = z.object({ server_name: z.string() });

/**
 * Starts nats-server and resolves once it greets under the name it was given. Rejects with `PORT_TAKEN` or
 * `SERVER_FAILED`; the message ends with the server's own last words.
 */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const { program, dataFolder, name = 'nats-server', preferredPort, extraConfig = '', signal } = options;
  const configFile = join(dataFolder, `${name}.conf`);
  const wrap = await createParentDeathWrapper('TERM');

  async function launch(port: number): Promise<NatsServer | null> {
    // Unique, so that the greeting of a stranger on the same port is not taken for ours.
    const serverName = `${name}-${process.pid}-${port}`;
    await mkdir(dataFolder, { recursive: true });
    await writeFile(configFile, formatConfig(serverName, port, extraConfig), { mode: 0o600 });
    const child = await startChild({
      name,
      ...wrap(program, ['--config', configFile]),
      logFile: join(dataFolder, 'log', `${name}.log`),
      runFolder: join(dataFolder, 'run'),
    });
    try {
      if (!(await waitForReady(child, serverName, port, signal))) return null;
    } catch (error) {
      await child.stop(0);
      throw error;
    }
    return {
      url: `nats://${loopback}:${port}`,
      port,
      pid: child.pid,
      exited: child.exited,
      async stop({ isForced = false } = {}) {
        await child.stop(isForced ? 0 : graceMs);
      },
    };
  }

  return startOnFreePort(preferredPort, launch);
}

function formatConfig(serverName: string, port: number, extraConfig: string): string {
  const lines = [
    `server_name: "${serverName}"`,
    `listen: "${loopback}:${port}"`,
    `max_payload: ${maxPayloadBytes}`,
    // Room for several such replies to one slow client.
    `max_pending: ${8 * maxPayloadBytes}`,
    extraConfig,
  ];
  return `${lines.join('\n')}\n`;
}

/** False when the port turned out to be taken. */
async function waitForReady(
  child: Child,
  serverName: string,
  port: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const state = await waitUntil(
    async () => {
      if (child.exit() !== null) return 'ended';
      return (await readServerName(loopback, port)) === serverName ? 'ready' : null;
    },
    { timeoutMs: readyTimeoutMs, signal },
  );
  if (state === 'ready') return true;
  const output = await child.readOutput();
  if (state === 'ended' && output.includes('address already in use')) return false;
  throw new StackError(
    'SERVER_FAILED',
    `nats-server does not start: ${lastLine(output) || 'it stays silent'}`,
  );
}

/**
 * The name in a NATS server's greeting (`INFO {…}`, the first line that it sends), or null when nothing on that
 * port greets so within two seconds.
 */
export function readServerName(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: greetingTimeoutMs });
    let received = '';
    const finish = (name: string | null): void => {
      socket.destroy();
      resolve(name);
    };
    socket.setEncoding('utf8');
    socket.once('error', () => finish(null));
    socket.once('timeout', () => finish(null));
    socket.once('close', () => finish(null));
    socket.on('data', (text: string) => {
      received += text;
      const end = received.indexOf('\r\n');
      if (end >= 0) finish(parseGreeting(received.slice(0, end)));
      else if (received.length > maxGreetingChars) finish(null);
    });
  });
}

function parseGreeting(line: string): string | null {
  if (!line.startsWith('INFO ')) return null;
  try {
    const greeting = greetingSchema.safeParse(JSON.parse(line.slice('INFO '.length)));
    return greeting.success ? greeting.data.server_name : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
