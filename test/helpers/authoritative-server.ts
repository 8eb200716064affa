// A real authoritative DNS server (NSD) on loopback, unprivileged, with zones of the test's choice.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { provideProgram } from './programs.ts';

export type ServedZone = {
  /** Origin, such as `example.test`. */
  name: string;
  /** Absolute path of the zone file. */
  file: string;
};

export type AuthoritativeServer = {
  address: string;
  /** The same for UDP and TCP. */
  port: number;
  /** Resolves when the server's processes have gone; safe to call again. */
  stop(): Promise<void>;
};

const address = '127.0.0.1';
const attempts = 5;

/** Starts NSD and resolves once it answers on its port. Rejects with what NSD said when it cannot start. */
export async function startAuthoritativeServer(options: {
  zones: ServedZone[];
}): Promise<AuthoritativeServer> {
  const program = await provideProgram('nsd');
  const folder = await mkdtemp(join(tmpdir(), 'nsd-'));
  try {
    return await startInFolder(program, folder, options.zones);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function startInFolder(
  program: string,
  folder: string,
  zones: ServedZone[],
): Promise<AuthoritativeServer> {
  const configuration = join(folder, 'nsd.conf');
  let said = '';
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const port = await findFreePort();
    await writeFile(configuration, describeConfiguration(folder, port, zones));
    const child = spawn(program, ['-d', '-c', configuration], { stdio: ['ignore', 'ignore', 'pipe'] });
    const start = await watchStart(child);
    if (start.isStarted) return { address, port, stop: createStop(child, folder) };
    said = start.said;
    // Another process may have taken the port in between; any other fault comes again.
    if (!said.includes('Address already in use')) break;
  }
  throw new Error(`nsd did not start:\n${said}`);
}

function describeConfiguration(folder: string, port: number, zones: ServedZone[]): string {
  const server = [
    'server:',
    `  ip-address: ${address}@${port}`,
    '  server-count: 1',
    '  username: ""',
    '  chroot: ""',
    `  zonesdir: "${folder}"`,
    '  database: ""',
    '  pidfile: ""',
    `  xfrdfile: "${join(folder, 'xfrd.state')}"`,
    `  xfrdir: "${folder}"`,
    `  zonelistfile: "${join(folder, 'zone.list')}"`,
    '  verbosity: 1',
    '  rrl-ratelimit: 0',
    'remote-control:',
    '  control-enable: no',
  ];
  const served = zones.flatMap(({ name, file }) => ['zone:', `  name: "${name}"`, `  zonefile: "${file}"`]);
  return `${[...server, ...served].join('\n')}\n`;
}

/** A port that is free for TCP and, as far as can be told, for UDP. */
async function findFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  if (bound === null || typeof bound === 'string') throw new Error('a listening server has no port');
  return bound.port;
}

/** NSD binds its ports, reads the zones and then says `nsd started`; queries sent from then on wait for its server. */
async function watchStart(child: ChildProcess): Promise<{ isStarted: boolean; said: string }> {
  if (child.stderr === null) throw new Error('the output of nsd is not piped');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line);
    if (line.includes('nsd started')) break;
  }
  const said = lines.join('\n');
  child.stderr.resume();
  // With a faulty zone it starts all the same, to answer SERVFAIL.
  const isFaulty = said.includes(': error: ');
  if (isFaulty && child.kill('SIGTERM')) await once(child, 'close');
  return { isStarted: !isFaulty && lines.at(-1)?.includes('nsd started') === true, said };
}

function createStop(child: ChildProcess, folder: string): () => Promise<void> {
  const killOnExit = () => child.kill('SIGTERM');
  process.once('exit', killOnExit);
  const closed = once(child, 'close');
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    child.kill('SIGTERM');
    await closed;
    process.removeListener('exit', killOnExit);
    await rm(folder, { recursive: true, force: true });
  };
  return () => {
    stopped ??= stop();
    return stopped;
  };
}
