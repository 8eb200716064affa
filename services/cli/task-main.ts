// `npm run task` as a process.
import { runCommandProcess } from './run-command-process.ts';
import { runTaskCommand } from './task/run-task-command.ts';

await runCommandProcess('task', runTaskCommand);
