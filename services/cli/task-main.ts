// `npm run task` as a process.
import { runProcess } from './run-process.ts';
import { runTaskCommand } from './run-task-command.ts';

await runProcess('task', runTaskCommand);
