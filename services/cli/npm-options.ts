// Options that npm took for its own: `npm run task create a.test --paused`, without -- before the options.
import type { ParseArgsOptionsConfig } from 'node:util';
import type { CommandName } from './command.ts';

/** npm has use for these itself, and often rightly (`-s` is its `--silent`): that it has them says nothing. */
const ofUseToNpm = new Set(['-s', '-h', '--help', '--json']);

/** What npm reads as an option of its own: its short ones, and what one of its options alone begins with. */
const readAs = new Map([
  ['-c', '--call'],
  ['-g', '--global'],
  ['--to', '--token-description'],
  // Each of its letters is a short option of npm.
  ['--plan', '--parseable'],
]);

/** One fault for each of a command's options that npm took; it hands on in the environment what it took. */
export function findTakenOptions(
  name: CommandName,
  options: ParseArgsOptionsConfig,
  env: NodeJS.ProcessEnv,
): string[] {
  // Of another script's npm, such as one that a test runs under, the variables mean nothing here.
  if (env.npm_lifecycle_event !== name) return [];
  const isTaken = (option: string) =>
    [option, readAs.get(option) ?? option].some((read) => Boolean(env[variableOf(read)]));
  return Object.entries(options)
    .flatMap(([long, { short }]) => [...(short === undefined ? [] : [`-${short}`]), `--${long}`])
    .filter((option) => !ofUseToNpm.has(option) && isTaken(option))
    .map((option) => `${option}: npm took it; did you forget -- after npm run ${name}?`);
}

/** What npm sets of an option to one of its scripts. */
function variableOf(option: string): string {
  return `npm_config_${option.replace(/^--?/, '').replaceAll('-', '_')}`;
}
