// `npm run probe` as a process.
import { runProbeCommand } from './run-probe-command.ts';
import { runProcess } from './run-process.ts';

await runProcess('probe', runProbeCommand);
