// A lock between processes: a folder of claims, each naming a process, void once that process is gone.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { identifySelf, isStillRunning } from './process-identity.ts';

export type FileLock = { release(): Promise<void> };
export type LockAttempt = { kind: 'held'; lock: FileLock } | { kind: 'taken'; pid: number };

type Claim = { name: string; pid: number; startedAt: string };

// Who withdraws comes back that often; who is first among those that try looks that often for the others to be gone.
const maxRounds = 10;
const maxLooks = 100;
const longestRoundPauseMs = 30;
const lookPauseMs = 3;
const retryMs = 100;
let serial = 0;

/**
 * Takes the lock whose claims lie in the folder at `path`, or says which live process holds it.
 *
 * Everyone first lays down its own claim and only then looks at the others, and holds the lock when there are none.
 * Of two, the one that looks last sees the other's, so never do both hold it. Who sees a claim whose name comes before
 * its own withdraws, and tries again after a random pause; who is first of all stays and looks again, so of several
 * that try at once one gets it. Names of claims are unique, which is why those of dead processes can be removed by
 * anybody at any time.
 */
export async function tryLock(path: string): Promise<LockAttempt> {
  for (let round = 1; ; round += 1) {
    const attempt = await claimOnce(path);
    if (attempt.kind !== 'withdrawn') return attempt;
    if (round === maxRounds) return { kind: 'taken', pid: attempt.rival.pid };
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

async function claimOnce(path: string): Promise<LockAttempt | { kind: 'withdrawn'; rival: Claim }> {
  await mkdir(path, { recursive: true });
  const { startedAt } = await identifySelf();
  serial += 1;
  const name = [process.pid, serial, Buffer.from(startedAt).toString('base64url')].join('.');
  const release = () => rm(join(path, name), { force: true });
  await writeFile(join(path, name), '', { mode: 0o600 });
  try {
    const rival = await outwaitRivals(path, name);
    if (rival === null) return { kind: 'held', lock: { release } };
    await release();
    return rival.name < name ? { kind: 'withdrawn', rival } : { kind: 'taken', pid: rival.pid };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Null once no other live claim is there; else the one that this claim gives way to. */
async function outwaitRivals(path: string, ownName: string): Promise<Claim | null> {
  for (let look = 1; ; look += 1) {
    const rivals = await listLiveClaims(path, ownName);
    const rival = rivals.find(({ name }) => name < ownName) ?? rivals[0];
    if (rival === undefined) return null;
    if (rival.name < ownName || look === maxLooks) return rival;
    await pause(lookPauseMs);
  }
}

async function listLiveClaims(path: string, ownName: string): Promise<Claim[]> {
  const live: Claim[] = [];
  for (const name of await readdir(path)) {
    if (name === ownName) continue;
    const claim = parseClaim(name);
    if (claim !== null && (await isStillRunning(claim))) live.push(claim);
    else await rm(join(path, name), { force: true });
  }
  return live;
}

function parseClaim(name: string): Claim | null {
  const [pid, , startedAt] = name.split('.');
  if (pid === undefined || startedAt === undefined || !/^\d{1,10}$/.test(pid)) return null;
  return { name, pid: Number(pid), startedAt: Buffer.from(startedAt, 'base64url').toString() };
}
