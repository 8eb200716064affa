// zdns over a list of names, and how many it answered.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DnsServer } from '../../../contracts/dns-server.ts';
import { runProgramOrThrow } from '../../../infra/local-stack/run-program.ts';
import { provideProgram } from '../../helpers/programs.ts';
import { zone, zoneAddress } from '../harness/platform.ts';
import { measureChildrenCpu } from './children-cpu.ts';

/** As many queries as the engine and dnsperf have in flight. */
const threads = 200;
const limitMs = 60_000;

export type ZdnsRun = {
  asked: number;
  /** With the one right record. */
  answered: number;
  /** The start of the process and the writing of its output are in it. */
  elapsedMs: number;
  /** Of the whole process; null where the system does not tell. */
  cpuMs: number | null;
};

export type Zdns = {
  /** Asks `count` names to their end. It keeps answers, so each of the names is asked but once in a run. */
  run(count: number): Promise<ZdnsRun>;
  stop(): Promise<void>;
};

/** Rejects with `PROGRAM_MISSING` where there is no zdns: it is built by Go, which fetches it. */
export async function prepareZdns({ address, port }: DnsServer): Promise<Zdns> {
  const program = await provideProgram('zdns');
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-zdns-'));
  const input = join(folder, 'names');
  const output = join(folder, 'output');
  const server = ['--name-servers', `${address}:${port}`, '--threads', String(threads)];
  const args = ['A', ...server, '--input-file', input, '--output-file', output];
  return {
    async run(count) {
      await writeFile(input, Array.from({ length: count }, (_, index) => `zdns${index}.${zone}\n`).join(''));
      let elapsedMs = 0;
      const cpuMs = await measureChildrenCpu(async () => {
        const startedAt = performance.now();
        await runProgramOrThrow(program, args, { timeoutMs: limitMs });
        elapsedMs = performance.now() - startedAt;
      });
      return { asked: count, answered: countAnswered(await readFile(output, 'utf8')), elapsedMs, cpuMs };
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

/** One JSON object a line and name. */
function countAnswered(text: string): number {
  const lines = text.trimEnd().split('\n');
  return lines.filter((line) => line.includes('"NOERROR"') && line.includes(`"${zoneAddress}"`)).length;
}
