// What the shell cannot ask, of the agent in FOLDER: `FOLDER ready PID SECONDS` ends with 0 as soon as that process is ready to take orders, with 1 when it
// has ended or time is up; `FOLDER describe CHANGED PID` prints it as one line of JSON.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const askTimeoutMs = 2000;
const betweenMs = 100;
const listening = '0A';
const [, , folder = '', command = '', first = '', second = ''] = process.argv;

if (command === 'ready') process.exitCode = (await becomesReady(Number(first), Number(second))) ? 0 : 1;
if (command === 'describe') {
  const description = await describe(first === 'true', Number(second));
  process.stdout.write(`${JSON.stringify(description)}\n`);
}

async function becomesReady(pid: number, limitS: number): Promise<boolean> {
  const deadline = performance.now() + limitS * 1000;
  while (performance.now() < deadline && list(`/proc/${pid}/fd`).length > 0) {
    if (await isReady(pid)) return true;
    await pause(betweenMs);
  }
  return false;
}

/** Without a pid it is stopped. */
async function describe(changed: boolean, pid: number) {
  const text = readFileSync(join(folder, 'current/settings/environment.json'), 'utf8');
  const given: unknown = JSON.parse(text);
  const environment = new Map<string, unknown>(Object.entries(given ?? {}));
  const named = (name: string) => String(environment.get(name) ?? '');
  const running = pid > 0 && (await isReady(pid)) ? 'running' : 'starting';
  return {
    changed,
    state: pid > 0 ? running : 'stopped',
    release: nameBehind('release'),
    runtime: nameBehind('runtime'),
    agent: named('AGENT_ID'),
    place: ['COUNTRY', 'PROVINCE', 'CITY', 'CARRIER'].map((part) => named(`AGENT_${part}`)),
    pid: pid > 0 ? pid : null,
  };
}

function nameBehind(link: string): string {
  return (
    readlinkSync(join(folder, 'current', link))
      .split('/')
      .at(-1) ?? ''
  );
}

/** Asks at the ports on which the process itself listens: another one may have taken the port that it is told to take. */
async function isReady(pid: number): Promise<boolean> {
  const answers = await Promise.all(findListeners(pid).map(askReadiness));
  return answers.includes(true);
}

async function askReadiness(host: string): Promise<boolean> {
  try {
    const reply = await fetch(`http://${host}/readyz`, { signal: AbortSignal.timeout(askTimeoutMs) });
    return reply.ok;
  } catch {
    // Not listening any more, or too busy to answer: not ready.
    return false;
  }
}

/** `host:port` of each of its TCP servers. */
function findListeners(pid: number): string[] {
  const sockets = readSockets(pid);
  return ['tcp', 'tcp6'].flatMap((table) => {
    const [, ...rows] = readTable(`/proc/${pid}/net/${table}`);
    return rows.flatMap((row) => {
      const [, local = '', , state, , , , , , inode = ''] = row.trim().split(/\s+/);
      return state === listening && sockets.has(inode) ? [formatAddress(local)] : [];
    });
  });
}

/** Inodes of its sockets. */
function readSockets(pid: number): Set<string> {
  const inodes = new Set<string>();
  for (const name of list(`/proc/${pid}/fd`)) {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(readLink(`/proc/${pid}/fd/${name}`)) ?? [];
    if (inode !== undefined) inodes.add(inode);
  }
  return inodes;
}

/** `0100007F:1F90` → `127.0.0.1:8080`: words of four octets, the last octet first. Any address stands for this machine. */
function formatAddress(text: string): string {
  const [hex = '', port = ''] = text.split(':');
  const words = hex.match(/.{8}/g) ?? [];
  const octets = words.flatMap((word) => (word.match(/../g) ?? []).toReversed());
  const isAny = /^0+$/.test(hex);
  if (octets.length === 4) {
    const address = isAny ? '127.0.0.1' : octets.map((octet) => Number.parseInt(octet, 16)).join('.');
    return `${address}:${Number.parseInt(port, 16)}`;
  }
  const groups = octets.join('').match(/.{4}/g) ?? [];
  return `[${isAny ? '::1' : groups.join(':')}]:${Number.parseInt(port, 16)}`;
}

function readTable(path: string): string[] {
  return attempt(() => readFileSync(path, 'utf8').trimEnd().split('\n'), []);
}

function list(folderPath: string): string[] {
  return attempt(() => readdirSync(folderPath), []);
}

function readLink(path: string): string {
  return attempt(() => readlinkSync(path), '');
}

/** A process may end while it is looked at. */
function attempt<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return otherwise;
    throw error;
  }
}
