// A lock between processes: a file that names its holder, void once that process is gone.

import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { identifyProcess, isStillRunning } from './process-identity.ts';
import { systemErrorCode } from './stack-error.ts';

const Holder = z.object({ pid: z.int().positive(), startedAt: z.string() });
type Holder = z.infer<typeof Holder>;

export type FileLock = { release(): Promise<void> };
export type LockAttempt = { kind: 'held'; lock: FileLock } | { kind: 'taken'; pid: number };

const RETRY_MS = 100;
let serial = 0;

/** Takes the lock at `path`, or says which live process holds it. A dead holder's lock is taken over. */
export async function tryLock(path: string): Promise<LockAttempt> {
  await mkdir(dirname(path), { recursive: true });
  const own = await identifyProcess(process.pid);
  serial += 1;
  const draft = `${path}.${process.pid}.${serial}`;
  await writeFile(draft, JSON.stringify({ pid: process.pid, startedAt: own?.startedAt ?? '' }), {
    mode: 0o600,
  });
  try {
    for (;;) {
      // link(2) fails when the name exists and never shows half-written content: that is the whole lock.
      if (await linkIfFree(draft, path)) return { kind: 'held', lock: createRelease(path) };
      const holder = await readHolder(path);
      if (holder !== null && (await isStillRunning(holder))) return { kind: 'taken', pid: holder.pid };
      await removeStale(path, holder, `${draft}.stale`);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/** Runs `work` under the lock; waits for as long as another live process holds it. */
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
    await pause(RETRY_MS, undefined, signal === undefined ? {} : { signal });
  }
}

function createRelease(path: string): FileLock {
  let isReleased = false;
  return {
    async release() {
      if (isReleased) return;
      isReleased = true;
      await rm(path, { force: true });
    },
  };
}

async function linkIfFree(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(path: string): Promise<Holder | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    return Holder.parse(JSON.parse(text));
  } catch (error) {
    // A file that names no process (a disk that was full, an edit by hand) cannot be held by one.
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

/**
 * Moves the stale file away. Another process may have done so and locked anew in between: then the
 * moved file names someone else and is put back under its name.
 */
async function removeStale(path: string, seen: Holder | null, aside: string): Promise<void> {
  try {
    await rename(path, aside);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  const moved = await readHolder(aside);
  const isSame = moved?.pid === seen?.pid && moved?.startedAt === seen?.startedAt;
  if (!isSame) await linkIfFree(aside, path);
  await rm(aside, { force: true });
}
