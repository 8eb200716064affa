// The probe command from its arguments to what it prints: parse → find the bus → ask → table or JSON.
import { defaultRespTimeoutS } from '../../contracts/probe.ts';
import { type Answer, callBus, FailedCall } from './call-bus.ts';
import {
  type CommandOptions,
  type CommandResult,
  findBusOrFaults,
  type OutputForm,
  reportFailure,
  reportFaults,
} from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { formatReplyJson } from './format-json.ts';
import { findTakenOptions } from './npm-options.ts';
import { parseProbeArguments } from './probe-arguments.ts';
import { probeHelp } from './probe-help.ts';
import { renderCells } from './render-cells.ts';
import { isFailedCell } from './summarize-cells.ts';

/** `npm run probe` with `args` (without program and script). Writes nothing but the progress. */
export async function runProbeCommand(
  args: readonly string[],
  { env, output, progress }: CommandOptions,
): Promise<CommandResult> {
  const taken = findTakenOptions('probe', env);
  if (taken.length > 0) return reportFaults('probe', taken, false, output);
  const parsed = parseProbeArguments(args);
  if (parsed.kind === 'help') return { exitCode: exitCodes.done, stdout: probeHelp, stderr: '' };
  if (parsed.kind === 'faults') return reportFaults('probe', parsed.faults, parsed.isJson, output);

  const { request, isJson } = parsed;
  const bus = await findBusOrFaults(env);
  if ('faults' in bus) return reportFaults('probe', bus.faults, isJson, output);
  const waiting = { label: 'probing', limitS: request.resp_timeout ?? defaultRespTimeoutS };
  try {
    const answer = await callBus({ config: bus.config, progress, waiting }, (caller) =>
      caller.call('oneShootVerbose', request),
    );
    return formatAnswer(answer, isJson, output);
  } catch (error) {
    if (error instanceof FailedCall) return reportFailure('probe', error, isJson, output);
    throw error;
  }
}

function formatAnswer(
  { reply: { results }, body }: Answer<'oneShootVerbose'>,
  isJson: boolean,
  output: OutputForm,
): CommandResult {
  return {
    exitCode: results.some(isFailedCell) ? exitCodes.partFailed : exitCodes.done,
    stdout: isJson ? formatReplyJson(body, output.isTerminal) : renderCells(results, output),
    stderr: '',
  };
}
