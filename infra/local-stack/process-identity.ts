// Tells a recorded process from a later one that was given the same pid.

import { readFile } from 'node:fs/promises';
import { systemErrorCode } from '../error-text.ts';
import { runProgram } from './run-program.ts';

/** `startedAt` is an opaque text, equal for the same process only; `command` is its command line. */
export type ProcessIdentity = { pid: number; startedAt: string; command: string };

/** Who runs under this pid right now, or null when nobody does (a zombie counts as nobody). */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | null> {
  return process.platform === 'linux' ? identifyOnLinux(pid) : identifyByPs(pid);
}

/** This very process. */
export async function identifySelf(): Promise<ProcessIdentity> {
  const self = await identifyProcess(process.pid);
  if (self === null) throw new Error(`pid ${process.pid} is not among the running processes`);
  return self;
}

/** Whether exactly this process (same pid, same start) still runs. */
export async function isStillRunning(recorded: { pid: number; startedAt: string }): Promise<boolean> {
  const current = await identifyProcess(recorded.pid);
  return current !== null && current.startedAt === recorded.startedAt;
}

async function identifyOnLinux(pid: number): Promise<ProcessIdentity | null> {
  try {
    const [bootId, status, commandLine] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // proc(5): the second field is the name in parentheses and may itself hold spaces and parentheses.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    const state = fields[0];
    const startTicks = fields[19];
    if (state === 'Z' || state === 'X' || startTicks === undefined) return null;
    return {
      pid,
      startedAt: `${bootId.trim()}:${startTicks}`,
      command: commandLine.replaceAll('\0', ' ').trim(),
    };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return null;
    throw error;
  }
}

async function identifyByPs(pid: number): Promise<ProcessIdentity | null> {
  const result = await runProgram('ps', ['-o', 'lstart=', '-o', 'command=', '-p', String(pid)], {
    env: { ...process.env, LC_ALL: 'C' },
    timeoutMs: 5_000,
  });
  const line = result.stdout.trim();
  if (result.exitCode !== 0 || line === '') return null;
  // lstart is 24 characters wide in the C locale: "Sat Nov 21 22:35:12 2026".
  return { pid, startedAt: line.slice(0, 24), command: line.slice(24).trim() };
}
