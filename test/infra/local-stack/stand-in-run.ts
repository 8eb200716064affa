// Starts the stand-in stack on a data folder of the test's own and looks at what it leaves behind.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { Client } from 'pg';
import { inject } from 'vitest';
import { z } from 'zod';
import { identifyProcess } from '../../../infra/local-stack/process-identity.ts';
import { readStackFile, type StackAddresses } from '../../../infra/local-stack/stack-file.ts';
import { spawnProgram, type TestProgramRun } from '../../helpers/processes.ts';

const runRecordSchema = z.object({ name: z.string(), pid: z.number() });

export type StandInFolder = {
  path: string;
  start(env?: Record<string, string>): TestProgramRun;
  /** Starts it, and resolves once it has printed `ready`. */
  startReady(env?: Record<string, string>): Promise<TestProgramRun>;
  readAddresses(): Promise<StackAddresses>;
  /** Pids of the running children by name, from the stack's own records. */
  readPids(): Promise<Record<string, number>>;
  /** Kills what a failed test left running, and removes the folder. */
  remove(): Promise<void>;
};

export async function createStandInFolder(): Promise<StandInFolder> {
  const path = await mkdtemp(join(tmpdir(), 'probe-task-stack-'));
  await chmod(path, 0o711);
  const runs: TestProgramRun[] = [];

  function start(env: Record<string, string> = {}): TestProgramRun {
    const PATH = [dirname(inject('natsServerProgram')), process.env.PATH].join(delimiter);
    const script = join(import.meta.dirname, 'stand-in-stack.ts');
    // Under npm the stack ends with its parent, hence with a test run that is killed.
    const run = spawnProgram(process.execPath, [script], {
      env: { PATH, DATA_DIR: path, npm_lifecycle_event: 'start', ...env },
    });
    runs.push(run);
    return run;
  }

  return {
    path,
    start,
    async startReady(env = {}) {
      const run = start(env);
      await run.waitForLine(/^ready$/);
      return run;
    },
    async readAddresses() {
      const addresses = await readStackFile(path);
      if (addresses === null) throw new Error('stack.json is missing');
      return addresses;
    },
    async readPids() {
      // Made with the first child; a start may end before that.
      await mkdir(join(path, 'run'), { recursive: true });
      const files = (await readdir(join(path, 'run'))).filter((file) => file.endsWith('.json'));
      const records = await Promise.all(
        files.map(async (file) =>
          runRecordSchema.parse(JSON.parse(await readFile(join(path, 'run', file), 'utf8'))),
        ),
      );
      return Object.fromEntries(records.map(({ name, pid }) => [name, pid]));
    },
    async remove() {
      for (const run of runs) {
        run.signal('SIGTERM');
        await run.exited;
      }
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Those of the processes that still run. */
export async function listAlive(pids: Record<string, number>): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(pids).map(async ([name, pid]) => ((await identifyProcess(pid)) === null ? [] : [name])),
  );
  return found.flat();
}

/** How many starts the database has seen: every start of the stand-in stack adds a row to the table it makes. */
export async function countVisits(databaseUrl: string): Promise<number> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('create table if not exists visit (id int)');
    const { rowCount } = await client.query('select 1 from visit');
    return rowCount ?? 0;
  } finally {
    await client.end();
  }
}
