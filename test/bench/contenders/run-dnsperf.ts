// dnsperf with one thread, and what it tells of its run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DnsServer } from '../../../contracts/dns-server.ts';
import { provideProgram } from '../../helpers/programs.ts';
import { verify } from '../harness/bench.ts';
import { measureChildrenCpu } from './children-cpu.ts';
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
  elapsedMs: number;
};

export type Dnsperf = {
  /** Runs it for so long; `perSecond` bounds the pace, and then every delay is told. */
  run(options: { seconds: number; perSecond?: number }): Promise<DnsperfRun>;
  stop(): Promise<void>;
};

/** For the last answers, which it waits 5 s for, and for what it writes. */
const endLimitMs = 20_000;

/** Writes the list of names; rejects with `PROGRAM_MISSING` when there is no dnsperf. */
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
      const limitMs = seconds * 1000 + endLimitMs;
      const cpuMs = await measureChildrenCpu(() => runInto(output, program, args, limitMs));
      const text = await readFile(output, 'utf8');
      return {
        ...parseDnsperfStatistics(text),
        cpuMs,
        delaysMs: parseDnsperfDelays(text),
      };
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

async function runInto(file: string, program: string, args: string[], limitMs: number): Promise<void> {
  const output = await open(file, 'w');
  try {
    const child = spawn(program, args, {
      stdio: ['ignore', output.fd, 'inherit'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    });
    await once(child, 'close');
    if (child.signalCode === 'SIGKILL') throw new Error(`dnsperf was not done after ${limitMs} ms`);
    if (child.exitCode !== 0) throw new Error(`dnsperf ended with ${child.signalCode ?? child.exitCode}`);
  } finally {
    await output.close();
  }
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
    elapsedMs: read(/Run time \(s\):\s+([\d.]+)/) * 1000,
  };
}

/** Of the lines that `-v` prints, `> NOERROR www.example A 0.000123` in seconds. */
export function parseDnsperfDelays(text: string): number[] {
  return Array.from(text.matchAll(/^> \S+ \S+ \S+ (\d+\.\d+)$/gm), ([, seconds]) => Number(seconds) * 1000);
}

/** Throws unless each of its queries had one end, some had an answer, and every answer was one. */
export function checkDnsperf({ sent, completed, lost, noerror }: DnsperfStatistics): void {
  verify(completed > 0, `dnsperf: none of ${sent} queries was answered`);
  verify(sent === completed + lost, `dnsperf: ${sent - completed - lost} of ${sent} queries had no end`);
  verify(noerror === completed, `dnsperf: ${completed - noerror} of ${completed} answers were none`);
}
