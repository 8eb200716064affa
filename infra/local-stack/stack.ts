// The local stack: everything of one machine, started in order and stopped in reverse.
import { join } from 'node:path';
import { describeError, systemErrorCode } from '../error-text.ts';
import { hideLogin } from '../hide-login.ts';
import { abandonOnAbort } from './abandon-on-abort.ts';
import { checkDatabaseUrl } from './check-database-url.ts';
import { checkNatsUrl } from './check-nats-url.ts';
import { stopOrphans } from './child-record.ts';
import { startNatsServer } from './nats-server.ts';
import { startPostgres } from './postgres.ts';
import { identifySelf } from './process-identity.ts';
import { natsServerSource, type ProvideOptions, provideProgram } from './provide-program.ts';
import type { StackService } from './services.ts';
import { startSideWork } from './side-work.ts';
import { StackError } from './stack-error.ts';
import { removeStackFile, type StackAddresses, writeStackFile } from './stack-file.ts';
import type { ChildExit } from './start-child.ts';
import { loopback, noteOtherPort, startOnFreePort } from './start-on-free-port.ts';
import { startServices } from './start-services.ts';
import type { RestartPolicy } from './supervise-service.ts';

export type StackPorts = { nats: number; postgres: number; exampleZone: number; firstMetrics: number };

/** Metrics start above 6566, one of the ports that fetch refuses to ask (WHATWG Fetch, "bad port"). */
export const defaultPorts: StackPorts = { nats: 4222, postgres: 5432, exampleZone: 6553, firstMetrics: 6571 };

export type StackParts = {
  services: readonly StackService[];
  /** Of the services that find out for themselves whether they are there; rejects with the line that says what is missing. */
  provideTools: (options: ProvideOptions) => Promise<void>;
  migrate: (databaseUrl: string, signal: AbortSignal) => Promise<void>;
  seed: (databaseUrl: string) => Promise<void>;
  /** Rejects with the code `EADDRINUSE` when the port is taken. */
  startExampleZone: (at: {
    host: string;
    port: number;
  }) => Promise<{ address: string; stop(): Promise<void> }>;
};

export type StackOptions = {
  dataFolder: string;
  env: NodeJS.ProcessEnv;
  /** Takes one line for people. */
  report: (line: string) => void;
  /** A part that runs no more and is not restarted; the caller stops the stack. */
  onFailure: (error: StackError) => void;
  ports?: StackPorts;
  restart?: RestartPolicy;
  readyTimeoutMs?: number;
  /** Longest wait for the tools once the services are ready (default one minute). */
  toolsTimeoutMs?: number;
  /** False trades the safety of the database for speed: for tests. */
  isDurable?: boolean;
};

export type LocalStack = {
  /** Resolves when every part is ready. Rejects with a `StackError`; what had started is stopped by `stop`. */
  start(): Promise<StackAddresses>;
  /** Stops in reverse order; `isForced` kills what is left and waits for nothing else. */
  stop(options?: { isForced?: boolean }): Promise<void>;
};

type Stopper = (options: { isForced: boolean }) => Promise<void>;

const defaultReadyTimeoutMs = 30_000;
// Whoever reads `ready` finds all of it at work, but for a network too slow for that.
const defaultToolsTimeoutMs = 60_000;
const labelWidth = 16;

/** The stack over its parts; the caller holds the lock of the data folder. */
export function createLocalStack(parts: StackParts, options: StackOptions): LocalStack {
  const { dataFolder, env, report, onFailure, ports = defaultPorts } = options;
  const { restart, readyTimeoutMs = defaultReadyTimeoutMs, isDurable = true } = options;
  const { toolsTimeoutMs = defaultToolsTimeoutMs } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const stoppers: Stopper[] = [];
  let starting: Promise<StackAddresses> | null = null;
  let ending: Promise<void> | null = null;

  async function startAll(): Promise<StackAddresses> {
    await removeStackFile(dataFolder);
    const orphans = await stopOrphans(join(dataFolder, 'run'));
    if (orphans.length > 0) report(`stopped what a killed run left behind: ${orphans.join(', ')}`);
    const tools = startSideWork(parts.provideTools({ dataFolder, env, report, signal }), { report, signal });
    stoppers.push((how) => tools.stop(how));
    const databaseUrl = await startDatabase();
    const natsUrl = await startBus();
    await parts.migrate(databaseUrl, signal);
    signal.throwIfAborted();
    await abandonOnAbort(parts.seed(databaseUrl), signal);
    const exampleZone = await startZone();
    const started = await startServices(parts.services, {
      firstPort: ports.firstMetrics,
      dataFolder,
      env: { ...env, NATS_URL: natsUrl, DATABASE_URL: databaseUrl },
      readyTimeoutMs,
      signal,
      supervisor: { report, onGiveUp: onFailure, ...(restart === undefined ? {} : { restart }) },
      onStarting: (supervised) => stoppers.push((how) => supervised.stop(how)),
    });
    for (const { name, metricsUrl, url, note } of started) {
      report(`${label(name)} ${url ?? metricsUrl}${note}`);
    }
    const services = started.map(({ name, metricsUrl, url }) => ({ name, url, metricsUrl }));
    const { pid, startedAt } = await identifySelf();
    const addresses = { pid, startedAt, natsUrl, databaseUrl, exampleZone, services };
    stoppers.push(() => removeStackFile(dataFolder));
    await writeStackFile(dataFolder, addresses);
    await tools.settle(toolsTimeoutMs);
    return addresses;
  }

  async function startDatabase(): Promise<string> {
    if (env.DATABASE_URL) {
      await checkDatabaseUrl(env.DATABASE_URL);
      report(`${label('postgres')} ${hideLogin(env.DATABASE_URL)} (from DATABASE_URL)`);
      return env.DATABASE_URL;
    }
    const server = await startPostgres({ dataFolder, preferredPort: ports.postgres, isDurable, signal });
    stoppers.push((how) => server.stop(how));
    watchServer('postgres', server.exited);
    report(`${label('postgres')} ${hideLogin(server.url)}${noteOtherPort(server.port, ports.postgres)}`);
    return server.url;
  }

  async function startBus(): Promise<string> {
    if (env.NATS_URL) {
      await checkNatsUrl(env.NATS_URL);
      report(`${label('nats')} ${hideLogin(env.NATS_URL)} (from NATS_URL)`);
      return env.NATS_URL;
    }
    const program = await provideProgram(natsServerSource, { dataFolder, env, report, signal });
    const server = await startNatsServer({ program, dataFolder, preferredPort: ports.nats, signal });
    stoppers.push((how) => server.stop(how));
    watchServer('nats-server', server.exited);
    report(`${label('nats')} ${server.url}${noteOtherPort(server.port, ports.nats)}`);
    return server.url;
  }

  async function startZone(): Promise<string> {
    const zone = await startOnFreePort(ports.exampleZone, (port) =>
      unlessTaken(() => parts.startExampleZone({ host: loopback, port })),
    );
    stoppers.push(() => zone.stop());
    const port = Number(zone.address.slice(zone.address.lastIndexOf(':') + 1));
    report(`${label('example zone')} ${zone.address}${noteOtherPort(port, ports.exampleZone)}`);
    return zone.address;
  }

  function watchServer(name: string, exited: Promise<ChildExit>): void {
    void exited.then(({ exitCode, signal: endedBy }) => {
      if (signal.aborted) return;
      const how = endedBy ?? `exit code ${exitCode}`;
      onFailure(
        new StackError(
          'SERVER_FAILED',
          `${name} ended (${how}), see ${join(dataFolder, 'log', `${name}.log`)}`,
        ),
      );
    });
  }

  async function stopAll(): Promise<void> {
    // A start that is under way sees the aborted signal and rejects; its caller deals with that.
    await starting?.catch(() => undefined);
    const faults: string[] = [];
    for (const stopOne of stoppers.toReversed()) {
      await stopOne({ isForced: false }).catch((error: unknown) => faults.push(describeError(error)));
    }
    for (const fault of faults) report(`while stopping: ${fault}`);
  }

  return {
    start() {
      starting ??= startAll();
      return starting;
    },
    async stop({ isForced = false } = {}) {
      stopping.abort(new StackError('STOPPED', 'the stack is being stopped'));
      ending ??= stopAll();
      if (!isForced) return ending;
      // Without waiting for a start or stop that hangs: that is why it is forced.
      await Promise.allSettled(stoppers.map((stopOne) => stopOne({ isForced: true })));
    },
  };
}

export function label(name: string): string {
  return name.padEnd(labelWidth);
}

async function unlessTaken<T>(start: () => Promise<T>): Promise<T | null> {
  try {
    return await start();
  } catch (error) {
    if (systemErrorCode(error) === 'EADDRINUSE') return null;
    throw error;
  }
}
