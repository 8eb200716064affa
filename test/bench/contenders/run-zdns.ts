// zdns over a list of names, and how many it answered.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DnsServer } from '../../../contracts/dns-server.ts';
import { runProgramOrThrow } from '../../../infra/local-stack/run-program.ts';
import { provideProgram } from '../../helpers/programs.ts';
import { benchNames } from './name-asker.ts';
import { childrenCpuMs } from './run-dnsperf.ts';

export type Zdns = {
  /** Asks `count` names to their end. */
  run(count: number): Promise<{ asked: number; answered: number; elapsedMs: number; cpuMs: number | null }>;
  stop(): Promise<void>;
};

/** Rejects where there is no zdns: it is built by Go, which fetches it. */
export async function prepareZdns({ address, port }: DnsServer, expected: string): Promise<Zdns> {
  const program = await provideProgram('zdns');
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-zdns-'));
  const input = join(folder, 'names');
  const output = join(folder, 'output');
  const names = benchNames();
  return {
    async run(count) {
      await writeFile(
        input,
        Array.from({ length: count }, (_, index) => `${names[index % names.length]}\n`).join(''),
      );
      const cpuBefore = await childrenCpuMs();
      const startedAt = performance.now();
      const files = ['--input-file', input, '--output-file', output];
      await runProgramOrThrow(program, [
        'A',
        '--name-servers',
        `${address}:${port}`,
        '--threads',
        '200',
        ...files,
      ]);
      const elapsedMs = performance.now() - startedAt;
      const cpuAfter = await childrenCpuMs();
      // One JSON object a line and name.
      const lines = (await readFile(output, 'utf8')).trimEnd().split('\n');
      return {
        asked: count,
        answered: lines.filter((line) => line.includes('"NOERROR"') && line.includes(`"${expected}"`)).length,
        elapsedMs,
        cpuMs: cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore,
      };
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}
