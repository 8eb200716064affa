// Part of `npm run check`: exit code 1 and one line for every import that goes where it must not.
import { findEnvironmentReaders, findForbiddenImports, readImports } from './helpers/import-directions.ts';

const faults = [...findForbiddenImports(await readImports()), ...(await findEnvironmentReaders())];
for (const fault of faults) process.stderr.write(`${fault}\n`);
if (faults.length > 0) process.exitCode = 1;
