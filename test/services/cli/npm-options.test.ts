import type { ParseArgsOptionsConfig } from 'node:util';
import { expect, test } from 'vitest';
import { repositoryFolder } from '../../../infra/local-stack/data-folder.ts';
import { runProgram } from '../../../infra/local-stack/run-program.ts';
import { agentsOptions } from '../../../services/cli/agents/agents-arguments.ts';
import { findTakenOptions } from '../../../services/cli/npm-options.ts';
import { probeOptions } from '../../../services/cli/probe/probe-arguments.ts';
import { taskOptions } from '../../../services/cli/task/task-arguments.ts';

const hint = (name: string) => `npm took it; did you forget -- after npm run ${name}?`;

/** What the script says whose options are given without -- before them. */
async function runByNpm(
  script: string,
  args: string[],
): Promise<{ exitCode: number | null; lines: string[] }> {
  const settings = { npm_config_update_notifier: 'false', npm_config_logs_max: '0' };
  const { exitCode, stderr } = await runProgram('npm', ['run', script, ...args], {
    cwd: repositoryFolder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NATS_URL: 'nats://127.0.0.1:1', ...settings },
    timeoutMs: 15_000,
  });
  return { exitCode, lines: stderr.split('\n') };
}

/** All but those that npm has use for itself. */
function noticeable(options: ParseArgsOptionsConfig): string[] {
  return Object.entries(options)
    .flatMap(([long, { short }]) => [`--${long}`, ...(short === undefined ? [] : [`-${short}`])])
    .filter((option) => !['--json', '--help', '-h', '-s'].includes(option));
}

test.each([
  ['probe', probeOptions],
  ['task', taskOptions],
  ['agents', agentsOptions],
])('%s notices each of its options that npm takes', async (script, options) => {
  const taken = noticeable(options);
  const values = taken.flatMap((option) => [option, 'x']);
  const { exitCode, lines } = await runByNpm(script, ['create', 'a.test', ...values]);
  expect(lines).toEqual(
    expect.arrayContaining(taken.map((option) => `${script}: ${option}: ${hint(script)}`)),
  );
  expect(lines).toContain(`try: npm run ${script} -- --help`);
  expect(exitCode).toBe(2);
});

test('names the options that npm took from the command it runs, and no others', () => {
  const taken = {
    npm_lifecycle_event: 'task',
    npm_config_domain_group: 'true',
    npm_config_idempotency_key: 'true',
    npm_config_call: '30',
    npm_config_global: 'true',
    npm_config_t: 'true',
    npm_config_region: 'true',
  };
  const faults = findTakenOptions('task', taskOptions, taken);
  expect(faults.map((fault) => fault.split(':')[0]).toSorted()).toEqual([
    '--domain-group',
    '--idempotency-key',
    '-c',
    '-g',
    '-t',
  ]);
  const timeout = { npm_lifecycle_event: 'probe', npm_config_timeout: '5' };
  expect(findTakenOptions('probe', probeOptions, timeout)).toEqual([`--timeout: ${hint('probe')}`]);
});

test('names none of the settings that npm hands to every script, and none of another script', () => {
  const usual = {
    npm_lifecycle_event: 'task',
    npm_config_yes: '',
    npm_config_json: 'true',
    npm_config_loglevel: 'silent',
    npm_config_limit: '',
  };
  expect(findTakenOptions('task', taskOptions, usual)).toEqual([]);
  const limited = { npm_config_limit: '5' };
  expect(findTakenOptions('task', taskOptions, { ...limited, npm_lifecycle_event: 'test' })).toEqual([]);
  expect(findTakenOptions('task', taskOptions, limited)).toEqual([]);
});
