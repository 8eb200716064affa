// What a play is handed to Ansible as: every text of a caller stands in a file, none in an argument.
import { basename } from 'node:path';
import type { JsonObject, JsonValue } from '../content/json.ts';
import type { Play } from './player.ts';
import { sandboxPaths } from './sandbox-paths.ts';
import { describeSsh, sharedConnection } from './ssh-settings.ts';

export type OutputLimits = {
  maxStringLength: number;
  maxLineOctets: number;
  /** Of all events of a run; after that they come without detail. */
  maxDetailOctets: number;
};

const defaultLimits: OutputLimits = {
  maxStringLength: 8192,
  maxLineOctets: 64 * 1024,
  maxDetailOctets: 4 * 1024 * 1024,
};

/** Names and content of the files of a play. Throws a `RangeError` for a variable that would change how nodes are reached. */
export function describePlayFiles(
  play: Play,
  settings: {
    hostKeys: 'strict' | 'accept-new';
    secrets: readonly string[];
    outputLimits: Partial<OutputLimits>;
  },
): Record<string, string> {
  const { hostKeys, secrets, outputLimits } = settings;
  const ssh = [
    ...describeSsh({ keyFile: sandboxPaths.sshKey, knownHostsFile: sandboxPaths.knownHosts, hostKeys }),
    ...sharedConnection,
  ];
  return {
    'playbook.json': JSON.stringify([describePlay(play)]),
    'nodes.json': JSON.stringify(describeNodes(play)),
    'variables.json': JSON.stringify(describeVariables(play)),
    'events.json': JSON.stringify({
      file: sandboxPaths.events,
      secrets,
      ...defaultLimits,
      ...outputLimits,
    }),
    ssh_config: `Host *\n${ssh.map(([name, value]) => `  ${name} ${value}\n`).join('')}`,
  };
}

const playbookFile = `${sandboxPaths.play}/playbook.json`;
const variablesFile = `${sandboxPaths.play}/variables.json`;
const nodesFile = `${sandboxPaths.play}/nodes.json`;

/** The same for every play: what differs stands in the files. */
export const playArguments: readonly string[] = [
  '--inventory',
  nodesFile,
  '--extra-vars',
  `@${variablesFile}`,
  playbookFile,
];

export function describeEnvironment(
  { forks }: Pick<Play, 'forks'>,
  roleFolderCount: number,
): Record<string, string> {
  const roles = Array.from({ length: roleFolderCount }, (_, index) => `${sandboxPaths.roles}/${index}`);
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/tmp',
    LC_ALL: 'C.UTF-8',
    PYTHONPATH: `${sandboxPaths.plugins}/python`,
    PYTHONDONTWRITEBYTECODE: '1',
    PROBE_EVENT_SETTINGS: `${sandboxPaths.play}/events.json`,
    ANSIBLE_HOME: '/tmp/ansible',
    ANSIBLE_LOCAL_TEMP: '/tmp/ansible',
    ANSIBLE_FORKS: String(forks),
    ANSIBLE_ROLES_PATH: roles.join(':') || sandboxPaths.roles,
    ANSIBLE_INVENTORY_PLUGINS: `${sandboxPaths.plugins}/inventory`,
    ANSIBLE_INVENTORY_ENABLED: 'probe_nodes',
    // Else a play whose nodes cannot be read would do nothing, and call that a success.
    ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED: '1',
    ANSIBLE_CALLBACK_PLUGINS: `${sandboxPaths.plugins}/callback`,
    ANSIBLE_STDOUT_CALLBACK: 'probe_events',
    ANSIBLE_TRANSPORT: 'ssh',
    ANSIBLE_SSH_ARGS: `-F ${sandboxPaths.play}/ssh_config`,
    ANSIBLE_HOST_KEY_CHECKING: '1',
    // With a terminal, commands of a node end when the connection does.
    ANSIBLE_PIPELINING: '0',
    ANSIBLE_SSH_USETTY: '1',
    ANSIBLE_PYTHON_INTERPRETER: 'auto_silent',
    // There are none beside the playbook, and looking for them for every task costs time.
    ANSIBLE_VARS_ENABLED: '',
    ANSIBLE_RETRY_FILES_ENABLED: '0',
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_NOCOWS: '1',
    ANSIBLE_DEPRECATION_WARNINGS: '0',
    ANSIBLE_DEVEL_WARNING: '0',
    ANSIBLE_SYSTEM_WARNINGS: '0',
  };
}

/** Roles may need to know about their nodes; tasks of a caller that do can ask. */
function describePlay({ content }: Play): JsonObject {
  const play = { name: 'run', hosts: 'all' };
  return content.kind === 'roles'
    ? { ...play, gather_facts: true, roles: content.roles }
    : { ...play, gather_facts: false, tasks: content.tasks };
}

function describeNodes({ runKey, nodes, user, content }: Play): JsonObject {
  return {
    runKey,
    // Roles are the operator's.
    isGuarded: content.kind === 'tasks',
    files: [playbookFile, variablesFile],
    private: [sandboxPaths.play, sandboxPaths.events, sandboxPaths.sshKey, sandboxPaths.knownHosts],
    nodes: nodes.map(({ text, address, port }) => ({
      name: text,
      variables: {
        ansible_host: address,
        ansible_port: port,
        ansible_user: user,
        ansible_connection: 'ssh',
      },
    })),
  };
}

function describeVariables({ params, controllerFiles = {} }: Play): JsonObject {
  const own = Object.keys(params).find((name) => /^ansible_/i.test(name));
  if (own !== undefined) throw new RangeError(`params: ${own} is Ansible's own`);
  const files = Object.entries(controllerFiles).map(([name, path], index): [string, JsonValue] => [
    name,
    pathOfFile(index, path),
  ]);
  return { ...markUnsafe(params), ...Object.fromEntries(files) };
}

/** Where the sandbox has a file of this machine. */
export function pathOfFile(index: number, path: string): string {
  return `${sandboxPaths.files}/${index}/${basename(path)}`;
}

/** Texts of a caller are never templates: Ansible's JSON knows a mark for that. */
function markUnsafe(params: Record<string, JsonValue>): JsonObject {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, mark(value)]));
}

function mark(value: JsonValue): JsonValue {
  if (typeof value === 'string') return { __ansible_unsafe: value };
  if (Array.isArray(value)) return value.map(mark);
  if (typeof value !== 'object' || value === null) return value;
  const own = Object.keys(value).find((name) => name.startsWith('__ansible_'));
  if (own !== undefined) throw new RangeError(`params: ${own} is Ansible's own`);
  return markUnsafe(value);
}
