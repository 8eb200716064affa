// `npm run agents` as a process.
import { runAgentsCommand } from './agents/run-agents-command.ts';
import { runCommandProcess } from './run-command-process.ts';

await runCommandProcess('agents', runAgentsCommand);
