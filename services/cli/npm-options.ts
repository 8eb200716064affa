// Options that npm took for its own: `npm run task create a.test --paused`, without -- before the options.
import type { CommandName } from './command.ts';

/** The variable in which npm hands on what it took, by option. What it has use for itself (`--json`) is left out. */
const variables: Record<CommandName, Record<string, string>> = {
  probe: {
    '-g': 'npm_config_global',
    ...variablesOf('-t', '-r', '--type', '--server', '--group', '--region', '--timeout'),
  },
  task: {
    '-g': 'npm_config_global',
    '-c': 'npm_config_call',
    ...variablesOf('-t', '--type', '--server', '--group', '--cycle', '--domain-group', '--service-type'),
    ...variablesOf('--window', '--paused', '--enabled', '--limit', '--agent', '--domain', '--status'),
    ...variablesOf('--from', '--to'),
  },
};

function variablesOf(...options: string[]): Record<string, string> {
  const toVariable = (option: string) => `npm_config_${option.replace(/^--?/, '').replaceAll('-', '_')}`;
  return Object.fromEntries(options.map((option) => [option, toVariable(option)]));
}

/** One fault for each option that this command would have got. */
export function findTakenOptions(name: CommandName, env: NodeJS.ProcessEnv): string[] {
  // Of another script's npm, such as one that a test runs under, the variables mean nothing here.
  if (env.npm_lifecycle_event !== name) return [];
  return Object.entries(variables[name])
    .filter(([, variable]) => Boolean(env[variable]))
    .map(([option]) => `${option}: npm took it; did you forget -- after npm run ${name}?`);
}
