// `npm start`: the whole system on this machine.
import { join } from 'node:path';
import { repositoryFolder, resolveDataFolder } from './data-folder.ts';
import { startExampleZone } from './example-zone.ts';
import { ansiblePackages, providePackages } from './provide-packages.ts';
import { lastLine, runProgram } from './run-program.ts';
import { runStackProcess } from './run-stack.ts';
import { seedFirstRun } from './seed.ts';
import { stackServices } from './services.ts';
import { StackError } from './stack-error.ts';

await runStackProcess(
  {
    services: stackServices,
    provideTools: (options) => providePackages(ansiblePackages, options),
    migrate: async (databaseUrl, signal) => {
      const script = join(repositoryFolder, 'infra/database/migrate-main.ts');
      const env = { ...process.env, DATABASE_URL: databaseUrl };
      const { exitCode, stderr } = await runProgram(process.execPath, [script], { env, signal });
      if (exitCode !== 0)
        throw new StackError('SERVER_FAILED', lastLine(stderr) || 'the migration was killed');
    },
    seed: seedFirstRun,
    startExampleZone,
  },
  { dataFolder: resolveDataFolder(process.env), env: process.env },
);
