// The folder that holds the files of one play while it is under way.
import { mkdir, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemErrorCode } from '../../../infra/error-text.ts';
import { identifySelf, isStillRunning } from '../../../infra/local-stack/process-identity.ts';
import type { Logger } from '../../../infra/logger.ts';

export type RunFolder = {
  /** Of the files that the play reads. */
  files: string;
  /** What it writes. */
  events: string;
  remove(): Promise<void>;
};

export type RunFolders = {
  /** Makes a folder, closed to others, with these files. Rejects when a live process has one of that key. */
  open(runKey: string, files: Record<string, string>): Promise<RunFolder>;
  /** Deletes those of processes that are gone. */
  removeLeftovers(): Promise<void>;
};

const ownerSchema = z.object({ pid: z.int(), startedAt: z.string(), namespace: z.string() });
type Owner = z.infer<typeof ownerSchema>;

/** Longer than any run may take. */
const strangerLifeMs = 26 * 3600 * 1000;

/** `folder` is that of all plays; several services may share it. */
export function createRunFolders(folder: string, logger: Logger): RunFolders {
  async function removeIfLeft(name: string): Promise<boolean> {
    const path = join(folder, name);
    if (!(await isLeft(path))) return false;
    await rm(path, { recursive: true, force: true });
    return true;
  }

  return {
    async open(runKey, files) {
      const path = join(folder, runKey);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await removeIfLeft(runKey);
      await mkdir(path, { mode: 0o700 });
      try {
        await writeFile(join(path, 'owner.json'), JSON.stringify(await identifyOwner()), { mode: 0o600 });
        const run = { files: join(path, 'files'), events: join(path, 'events.jsonl') };
        await mkdir(run.files, { mode: 0o700 });
        await writeFile(run.events, '', { mode: 0o600 });
        for (const [name, text] of Object.entries(files))
          await writeFile(join(run.files, name), text, { mode: 0o600 });
        return { ...run, remove: () => rm(path, { recursive: true, force: true }) };
      } catch (error) {
        await rm(path, { recursive: true, force: true });
        throw error;
      }
    },
    async removeLeftovers() {
      const names = await listFolders(folder);
      const removed = await Promise.all(names.map(removeIfLeft));
      const count = removed.filter((isRemoved) => isRemoved).length;
      if (count > 0) logger.info({ count }, 'removed what plays of a dead process left');
    },
  };
}

async function identifyOwner(): Promise<Owner> {
  const { pid, startedAt } = await identifySelf();
  return { pid, startedAt, namespace: await readlink('/proc/self/ns/pid') };
}

/** Of a process in another container nothing can be told but by time. A folder without an owner is just being made. */
async function isLeft(path: string): Promise<boolean> {
  try {
    const owner = ownerSchema.safeParse(JSON.parse(await readFile(join(path, 'owner.json'), 'utf8')));
    if (owner.success && owner.data.namespace === (await readlink('/proc/self/ns/pid')))
      return !(await isStillRunning(owner.data));
    return await isOld(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || error instanceof SyntaxError) return isOld(path);
    throw error;
  }
}

async function isOld(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > strangerLifeMs;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function listFolders(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
