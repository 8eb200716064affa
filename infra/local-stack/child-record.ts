// Records of running children, by which the next start finds what a killed run left behind.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemErrorCode } from '../error-text.ts';
import { isStillRunning } from './process-identity.ts';
import { waitUntil } from './wait-until.ts';

const childRecordSchema = z.object({
  name: z.string(),
  pid: z.int().positive(),
  startedAt: z.string(),
  stopSignal: z.enum(['SIGTERM', 'SIGINT']),
});
export type ChildRecord = z.infer<typeof childRecordSchema>;

const orphanGraceMs = 10_000;
const killWaitMs = 5_000;

/** Writes `<runFolder>/<name>.json`, whole or not at all. */
export async function recordChild(runFolder: string, record: ChildRecord): Promise<void> {
  await mkdir(runFolder, { recursive: true });
  const path = join(runFolder, `${record.name}.json`);
  await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Removes the record of an ended child, unless its name is meanwhile that of a newer one. */
export async function forgetChild(runFolder: string, name: string, pid: number): Promise<void> {
  const path = join(runFolder, `${name}.json`);
  const record = await readRecord(path);
  if (record === null || record.pid === pid) await rm(path, { force: true });
}

/**
 * Stops every recorded process that still runs and returns their names. A pid that by now belongs to another
 * program is left alone: the start of the process is part of the record.
 */
export async function stopOrphans(runFolder: string): Promise<string[]> {
  const names = await Promise.all(
    (await listRecords(runFolder)).map(async (path) => {
      const record = await readRecord(path);
      const isOrphan = record !== null && (await isStillRunning(record));
      if (isOrphan) await stopRecorded(record);
      await rm(path, { force: true });
      return isOrphan ? record.name : null;
    }),
  );
  return names.filter((name) => name !== null);
}

/** Asks a process for its graceful end, and kills it after ten seconds. */
export async function stopRecorded(record: Omit<ChildRecord, 'name'>): Promise<void> {
  const isGone = async (): Promise<true | null> => ((await isStillRunning(record)) ? null : true);
  sendSignal(record.pid, record.stopSignal);
  if ((await waitUntil(isGone, { timeoutMs: orphanGraceMs })) !== null) return;
  sendSignal(record.pid, 'SIGKILL');
  await waitUntil(isGone, { timeoutMs: killWaitMs });
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error;
  }
}

async function listRecords(runFolder: string): Promise<string[]> {
  try {
    const files = await readdir(runFolder);
    return files.filter((file) => file.endsWith('.json')).map((file) => join(runFolder, file));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function readRecord(path: string): Promise<ChildRecord | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    return childRecordSchema.parse(JSON.parse(text));
  } catch (error) {
    // A record that a full disk cut short tells nothing; the servers' own pid files remain.
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}
