// The programs that tests and benches need beside Node.js, installed once into the data folder.

import { resolveDataFolder } from '../../infra/local-stack/data-folder.ts';
import { ansiblePackages, providePackages } from '../../infra/local-stack/provide-packages.ts';
import {
  natsServerSource,
  type ProgramSource,
  provideProgram as provideFromSource,
} from '../../infra/local-stack/provide-program.ts';

export { providePython } from './python.ts';

export type TestProgram = 'nsd' | 'nsd-checkconf' | 'nats-server' | 'pgbouncer' | 'dnsperf' | 'zdns';

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
  dnsperf: {
    name: 'dnsperf',
    debian: { packageName: 'dnsperf', pathInPackage: 'usr/bin/dnsperf' },
    advice: 'install it (Debian: apt-get install dnsperf)',
  },
  zdns: {
    name: 'zdns',
    goModule: 'github.com/zmap/zdns/v2@v2.0.4',
    advice: 'build it with Go (https://github.com/zmap/zdns)',
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

/** Ansible and its sandbox, installed into the system where they are missing: for that the tests must be run as root. */
export function provideAnsible(): Promise<void> {
  return providePackages(ansiblePackages, {
    dataFolder: resolveDataFolder(process.env),
    env: process.env,
    report: reportProgress,
  });
}

/** Progress goes to stderr, past the test runner's capture of the console. */
export function reportProgress(line: string): void {
  process.stderr.write(`${line}\n`);
}
