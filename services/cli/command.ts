// What a command takes and gives.
import type { ProgressLine } from './terminal/progress-line.ts';
import type { TableOptions } from './terminal/render-table.ts';

/** The npm script that runs it. */
export type CommandName = 'probe' | 'task' | 'agents';

/** What becomes of an answer: a table, or JSON, indented where a person reads it. */
export type OutputForm = TableOptions & { isTerminal: boolean };

/** What is left to print at the end. */
export type CommandResult = { exitCode: number; stdout: string; stderr: string };

/** Prints what is done while the rest goes on. Rejects when it cannot be written; a reader that went away is no fault. */
export type WriteOutput = (to: 'stdout' | 'stderr', text: string) => Promise<void>;

export type CommandOptions = {
  env: NodeJS.ProcessEnv;
  output: OutputForm;
  progress: ProgressLine;
  write: WriteOutput;
};

/** Runs with `args` (without program and script). */
export type Command = (args: readonly string[], options: CommandOptions) => Promise<CommandResult>;
