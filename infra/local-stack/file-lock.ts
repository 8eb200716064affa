// A lock between processes: a folder of claims, each naming a process, void once that process is gone.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { identifyProcess, isStillRunning } from './process-identity.ts';

export type FileLock = { release(): Promise<void> };
export type LockAttempt = { kind: 'held'; lock: FileLock } | { kind: 'taken'; pid: number };

type Claim = { name: string; pid: number; startedAt: string };

// Claims of others that try at the same moment are withdrawn within a few milliseconds; the holder's stays.
const maxRounds = 10;
const longestRoundPauseMs = 30;
const retryMs = 100;
let serial = 0;

/**
 * Takes the lock whose claims lie in the folder at `path`, or says which live process holds it.
 *
 * Everyone first lays down its own claim and only then looks at the others. Of two, the one that looks last
 * sees the other's, so never do both hold it; both may withdraw, and try again after a random pause. Names of
 * claims are unique, which is why those of dead processes can be removed by anybody at any time.
 */
export async function tryLock(path: string): Promise<LockAttempt> {
  for (let round = 1; ; round += 1) {
    const attempt = await claimOnce(path);
    if (attempt.kind === 'held' || round === maxRounds) return attempt;
    await pause(Math.random() * longestRoundPauseMs);
  }
}

/** Runs `work` under the lock; waits for as long as another live process holds it, or until `signal` is aborted. */
export async function withLock<T>(path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    const attempt = await tryLock(path);
    if (attempt.kind === 'held') {
      try {
        return await work();
      } finally {
        await attempt.lock.release();
      }
    }
    await pause(retryMs, undefined, signal === undefined ? {} : { signal });
  }
}

async function claimOnce(path: string): Promise<LockAttempt> {
  await mkdir(path, { recursive: true });
  const self = await identifyProcess(process.pid);
  serial += 1;
  const name = [process.pid, serial, Buffer.from(self?.startedAt ?? '').toString('base64url')].join('.');
  const release = () => rm(join(path, name), { force: true });
  await writeFile(join(path, name), '', { mode: 0o600 });
  try {
    const rival = await findLiveClaim(path, name);
    if (rival === null) return { kind: 'held', lock: { release } };
    await release();
    return { kind: 'taken', pid: rival.pid };
  } catch (error) {
    await release();
    throw error;
  }
}

async function findLiveClaim(path: string, ownName: string): Promise<Claim | null> {
  for (const name of await readdir(path)) {
    if (name === ownName) continue;
    const claim = parseClaim(name);
    if (claim !== null && (await isStillRunning(claim))) return claim;
    await rm(join(path, name), { force: true });
  }
  return null;
}

function parseClaim(name: string): Claim | null {
  const [pid, , startedAt] = name.split('.');
  if (pid === undefined || startedAt === undefined || !/^\d{1,10}$/.test(pid)) return null;
  return { name, pid: Number(pid), startedAt: Buffer.from(startedAt, 'base64url').toString() };
}
