// `npm run probe` as a process.
import { runProbeCommand } from './probe/run-probe-command.ts';
import { runCommandProcess } from './run-command-process.ts';

await runCommandProcess('probe', runProbeCommand);
