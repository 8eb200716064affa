// dnsperf with one thread, and what it tells of its run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DnsServer } from '../../../contracts/dns-server.ts';
import { provideProgram } from '../../helpers/programs.ts';
import { verify } from '../harness/bench.ts';
import { benchNames } from './name-asker.ts';

export type DnsperfRun = DnsperfStatistics & {
  /** Processor time of the process; null where the system does not tell. */
  cpuMs: number | null;
  /** Of each answer, when asked for. */
  delaysMs: number[];
};

export type DnsperfStatistics = {
  sent: number;
  completed: number;
  lost: number;
  /** Answers with NOERROR. */
  noerror: number;
  perSecond: number;
  elapsedMs: number;
};

export type Dnsperf = {
  /** Runs it for so long; `perSecond` bounds the pace, and then every delay is told. */
  run(options: { seconds: number; perSecond?: number }): Promise<DnsperfRun>;
  stop(): Promise<void>;
};

/** 100 on every Linux that Node.js runs on (`getconf CLK_TCK`). */
const clockTicksPerSecond = 100;

/** Writes the list of names; rejects when there is no dnsperf. */
export async function prepareDnsperf(server: DnsServer): Promise<Dnsperf> {
  const program = await provideProgram('dnsperf');
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-dnsperf-'));
  const input = join(folder, 'names');
  const output = join(folder, 'output');
  await writeFile(
    input,
    benchNames()
      .map((name) => `${name} A\n`)
      .join(''),
  );
  const target = ['-s', server.address, '-p', String(server.port), '-d', input];
  return {
    async run({ seconds, perSecond }) {
      const pace = perSecond === undefined ? [] : ['-v', '-Q', String(perSecond)];
      const args = [...target, '-T', '1', '-c', '10', '-q', '200', '-l', String(seconds), ...pace];
      const cpuBefore = await childrenCpuMs();
      await runInto(output, program, args);
      const cpuAfter = await childrenCpuMs();
      const text = await readFile(output, 'utf8');
      return {
        ...parseDnsperfStatistics(text),
        cpuMs: cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore,
        delaysMs: parseDnsperfDelays(text),
      };
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

async function runInto(file: string, program: string, args: string[]): Promise<void> {
  const output = await open(file, 'w');
  try {
    const child = spawn(program, args, { stdio: ['ignore', output.fd, 'inherit'] });
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`dnsperf ended with ${code}`);
  } finally {
    await output.close();
  }
}

/** Processor time of all children that have ended so far, milliseconds; null where there is no /proc. */
export async function childrenCpuMs(): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const text = await readFile('/proc/self/stat', 'utf8');
  // The name of the program, in parentheses, may hold blanks: the third field is the first one behind it (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[13]) + Number(fields[14]);
  return (ticks / clockTicksPerSecond) * 1000;
}

/** Of the statistics at the end of its output; throws when one is missing. */
export function parseDnsperfStatistics(text: string): DnsperfStatistics {
  function read(pattern: RegExp): number {
    const value = pattern.exec(text)?.[1];
    if (value === undefined)
      throw new Error(`dnsperf does not tell ${pattern.source}:\n${text.slice(-2000)}`);
    return Number(value);
  }
  const completed = read(/Queries completed:\s+(\d+)/);
  return {
    sent: read(/Queries sent:\s+(\d+)/),
    completed,
    lost: read(/Queries lost:\s+(\d+)/),
    noerror: completed === 0 ? 0 : read(/Response codes:.*\bNOERROR (\d+)/),
    perSecond: read(/Queries per second:\s+([\d.]+)/),
    elapsedMs: read(/Run time \(s\):\s+([\d.]+)/) * 1000,
  };
}

/** Of the lines that `-v` prints, `> NOERROR www.example A 0.000123` in seconds. */
export function parseDnsperfDelays(text: string): number[] {
  return Array.from(text.matchAll(/^> \S+ \S+ \S+ (\d+\.\d+)$/gm), ([, seconds]) => Number(seconds) * 1000);
}

/** Throws unless each of its queries had one end, and every answer was one. */
export function checkDnsperf({ sent, completed, lost, noerror }: DnsperfStatistics): void {
  verify(sent === completed + lost, `dnsperf: ${sent - completed - lost} of ${sent} queries had no end`);
  verify(noerror === completed, `dnsperf: ${completed - noerror} of ${completed} answers were none`);
}
