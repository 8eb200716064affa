// What the commands share in reading their arguments.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { z } from 'zod';
import { systemErrorCode } from '../../infra/error-text.ts';
import { printable } from './terminal/printable-text.ts';

/** Arguments that were understood, a call for help, or what is wrong with them, one readable line each. */
export type CommandLine<Request> =
  | { kind: 'help' }
  | { kind: 'run'; request: Request; isJson: boolean }
  | { kind: 'faults'; faults: string[]; isJson: boolean };

export const commonOptions = {
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const wholeNumber = /^-?\d+$/;

/**
 * Tells options from the rest of the arguments and has `read` make a request of them. `options` include
 * `commonOptions`. Faults are named once each.
 */
export function parseCommandLine<const Options extends ParseArgsOptionsConfig, Request>(
  args: readonly string[],
  options: Options,
  read: (given: ReturnType<typeof splitArguments<Options>>) => Reading<Request>,
): CommandLine<Request> {
  try {
    const given = splitArguments(args, options);
    const flags = new Map<string, unknown>(Object.entries(given.values));
    if (flags.get('help') === true) return { kind: 'help' };
    const { request, faults } = read(given);
    const isJson = flags.get('json') === true;
    return faults.length === 0
      ? { kind: 'run', request, isJson }
      : { kind: 'faults', faults: [...new Set(faults)], isJson };
  } catch (error) {
    if (!isParseFault(error)) throw error;
    // Of an unknown option the rest tells of arguments that only look like one, in words that mislead.
    const [reason = ''] = error.message.split('. To specify a positional argument');
    const fault = printable(reason.replaceAll(/\s*\n\s*/g, ' '));
    return { kind: 'faults', faults: [fault], isJson: asksForJson(args) };
  }
}

/** A request, and what is wrong with the arguments that it was made of. */
export type Reading<Request> = { request: Request; faults: string[] };

function splitArguments<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
) {
  return parseArgs({ args: [...args], options, allowPositionals: true });
}

function isParseFault(error: unknown): error is TypeError {
  return error instanceof TypeError && systemErrorCode(error)?.startsWith('ERR_PARSE_ARGS_') === true;
}

/** Is `--json` among the arguments? For those that cannot be parsed. */
export function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end).includes('--json');
}

/**
 * What the contract says against the request, by the arguments that it comes from. `nameArgument` takes the path within
 * the request; it leaves out what has been said in other words.
 */
export function findContractFaults(
  schema: z.ZodType,
  request: unknown,
  nameArgument: (path: readonly PropertyKey[]) => string | undefined,
): string[] {
  const parsed = schema.safeParse(request);
  if (parsed.success) return [];
  return parsed.error.issues.flatMap(({ path, message }) => {
    const argument = nameArgument(path);
    return argument === undefined ? [] : [`${argument}: ${message}`];
  });
}

/** Options take several values, so that a second one where one is meant is noticed. */
export function findRepeated(given: Record<string, readonly string[]>): string[] {
  return Object.entries(given).flatMap(([option, values]) =>
    values.length > 1 ? [`${option}: given more than once`] : [],
  );
}

const maxQuoted = 80;

/** The argument in quotes, of a long one its start. */
export function quote(text = ''): string {
  return printable(text.length > maxQuoted ? `"${text.slice(0, maxQuoted)}…"` : `"${text}"`);
}
