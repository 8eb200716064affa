// The programs that tests need beside Node.js, installed once into the data folder.

import { resolveDataFolder } from '../../infra/local-stack/data-folder.ts';
import {
  natsServerSource,
  type ProgramSource,
  provideProgram as provideFromSource,
} from '../../infra/local-stack/provide-program.ts';

export { providePython } from './python.ts';

export type TestProgram = 'nsd' | 'nsd-checkconf' | 'nats-server' | 'pgbouncer';

function fromNsdPackage(name: string): ProgramSource {
  return {
    name,
    debian: { packageName: 'nsd', pathInPackage: `usr/sbin/${name}` },
    advice: 'install the package nsd (Debian: apt-get install nsd)',
  };
}

const sources: Record<TestProgram, ProgramSource> = {
  nsd: fromNsdPackage('nsd'),
  'nsd-checkconf': fromNsdPackage('nsd-checkconf'),
  'nats-server': natsServerSource,
  pgbouncer: {
    name: 'pgbouncer',
    debian: { packageName: 'pgbouncer', pathInPackage: 'usr/sbin/pgbouncer' },
    advice: 'install it (Debian: apt-get install pgbouncer)',
  },
};

/** The absolute path of the program; installs it first where it is missing. Its pid is that of the program itself. */
export function provideProgram(name: TestProgram): Promise<string> {
  return provideFromSource(sources[name], {
    dataFolder: resolveDataFolder(process.env),
    env: process.env,
    report: reportProgress,
  });
}

/** Progress goes to stderr, past the test runner's capture of the console. */
export function reportProgress(line: string): void {
  process.stderr.write(`${line}\n`);
}
