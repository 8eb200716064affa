import { expect, test } from 'vitest';
import { findTakenOptions } from '../../../services/cli/npm-options.ts';

test('names the options that npm took from the command it runs', () => {
  const taken = {
    npm_lifecycle_event: 'task',
    npm_config_domain_group: 'true',
    npm_config_call: '30',
    npm_config_global: 'true',
    npm_config_t: 'true',
  };
  expect(findTakenOptions('task', taken).map((fault) => fault.split(':')[0])).toEqual([
    '-g',
    '-c',
    '-t',
    '--domain-group',
  ]);
  expect(findTakenOptions('probe', { npm_lifecycle_event: 'probe', npm_config_timeout: '5' })).toEqual([
    '--timeout: npm took it; did you forget -- after npm run probe?',
  ]);
});

test('names none of the settings that npm hands to every script, and none of another script', () => {
  const usual = {
    npm_lifecycle_event: 'task',
    npm_config_yes: '',
    npm_config_json: 'true',
    npm_config_loglevel: 'silent',
    npm_config_limit: '',
  };
  expect(findTakenOptions('task', usual)).toEqual([]);
  expect(findTakenOptions('task', { npm_lifecycle_event: 'test', npm_config_limit: '5' })).toEqual([]);
  expect(findTakenOptions('task', { npm_config_limit: '5' })).toEqual([]);
});
