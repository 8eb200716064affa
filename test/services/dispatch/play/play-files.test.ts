// What Ansible is handed: texts of callers as data, never as templates or arguments.
import { expect, test } from 'vitest';
import {
  describeEnvironment,
  describePlayFiles,
  playArguments,
} from '../../../../services/dispatch/play/play-files.ts';
import type { Play } from '../../../../services/dispatch/play/player.ts';

const play: Play = {
  runKey: 'r1',
  nodes: [{ address: '2001:db8::1', port: 2222, text: '[2001:db8::1]:2222' }],
  user: 'root',
  forks: 7,
  timeoutMs: 1000,
  content: { kind: 'tasks', tasks: [{ command: 'true' }] },
  params: { a: '{{ x }}', b: [1, { c: 'd' }], e: null },
  secretTexts: [],
  controllerFiles: { release: '/srv/release.tar.gz' },
};
const settings = { hostKeys: 'strict', secrets: ['s'], outputLimits: {} } as const;

function read(files: Record<string, string>, name: string): unknown {
  return JSON.parse(files[name] ?? '');
}

test('texts of parameters are marked, at every depth', () => {
  expect(read(describePlayFiles(play, settings), 'variables.json')).toEqual({
    a: { __ansible_unsafe: '{{ x }}' },
    b: [1, { c: { __ansible_unsafe: 'd' } }],
    e: null,
    release: '/files/0/release.tar.gz',
  });
});

test.each([
  { ansible_host: 'x' },
  { Ansible_Connection: 'local' },
  { a: { __ansible_vault: 'x' } },
  { a: [{ __ansible_unsafe: 'x' }] },
])('parameters of Ansible’s own are refused: %j', (params) => {
  expect(() => describePlayFiles({ ...play, params }, settings)).toThrow(RangeError);
});

test('nodes are named as they are, and tasks of callers guarded, roles not', () => {
  const files = describePlayFiles(play, settings);
  expect(read(files, 'nodes.json')).toMatchObject({
    runKey: 'r1',
    isGuarded: true,
    nodes: [{ name: '[2001:db8::1]:2222', variables: { ansible_host: '2001:db8::1', ansible_port: 2222 } }],
  });
  expect(read(files, 'playbook.json')).toEqual([
    { name: 'run', hosts: 'all', gather_facts: false, tasks: [{ command: 'true' }] },
  ]);
  const roles = describePlayFiles({ ...play, content: { kind: 'roles', roles: ['r'] } }, settings);
  expect(read(roles, 'nodes.json')).toMatchObject({ isGuarded: false });
  expect(read(roles, 'playbook.json')).toEqual([
    { name: 'run', hosts: 'all', gather_facts: true, roles: ['r'] },
  ]);
});

test('arguments and environment are the same for all plays but for numbers', () => {
  expect(playArguments.every((argument) => /^(--[a-z-]+|@?\/play\/\w+\.json)$/.test(argument))).toBe(true);
  expect(describeEnvironment(play, 2)).toMatchObject({
    ANSIBLE_FORKS: '7',
    ANSIBLE_ROLES_PATH: '/roles/0:/roles/1',
  });
});

test('unknown hosts are refused or taken, as set', () => {
  const strict = describePlayFiles(play, settings).ssh_config;
  expect(strict).toContain('StrictHostKeyChecking yes\n');
  const open = describePlayFiles(play, { ...settings, hostKeys: 'accept-new' }).ssh_config;
  expect(open).toContain('StrictHostKeyChecking accept-new\n');
});
