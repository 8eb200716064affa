// The probe command: one verbose call → a table of its cells, or the reply.
import { defaultRespTimeoutS } from '../../../contracts/probe.ts';
import type { Command, CommandResult } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatReplyJson } from '../format-json.ts';
import { type CommandParts, runCommand, type Session } from '../run-command.ts';
import { isFailedCell } from '../summarize-cells.ts';
import { type ProbeInput, parseProbeArguments, probeOptions } from './probe-arguments.ts';
import { probeHelp } from './probe-help.ts';
import { renderCells } from './render-cells.ts';

const probeCommand: CommandParts<ProbeInput> = {
  name: 'probe',
  help: probeHelp,
  options: probeOptions,
  parse: parseProbeArguments,
  waiting: (request) => ({ label: 'probing', limitS: request.resp_timeout ?? defaultRespTimeoutS }),
  carryOut: probe,
};

/** `npm run probe`. */
export const runProbeCommand: Command = (args, options) => runCommand(probeCommand, args, options);

async function probe(request: ProbeInput, { caller, isJson, output }: Session): Promise<CommandResult> {
  const { reply, body } = await caller.call('oneShootVerbose', request);
  const { results } = reply;
  return {
    exitCode: results.some(isFailedCell) ? exitCodes.partFailed : exitCodes.done,
    stdout: isJson ? formatReplyJson(body, output.isTerminal) : renderCells(results, output),
    stderr: '',
  };
}
