// The modules of ansible.builtin that content may use: those that act on the node only (ansible-core 2.14, plugins/action).
import type { JsonObject, JsonValue } from './json.ts';
import { isJsonObject } from './json.ts';
import { refuse } from './refusal.ts';
import { checkVariableName } from './variable-names.ts';

export type ModuleRule = {
  /** The parameter that a text given instead of parameters becomes, less the options in it. */
  freeForm?: 'cmd' | '_raw_params';
  /** The only parameters it may have. */
  only?: readonly string[];
  /** `conditions`: parameters that are evaluated as conditions are. */
  conditions?: readonly string[];
  /** Values become variables, and are evaluated again when these are used. */
  isEvaluatedAgain?: true;
  check?(args: JsonObject, place: string): void;
};

/** Ordinary modules: their code is copied to the node and runs there, with nothing of the controller but their parameters. */
const nodeModules = [
  ...[
    'apt',
    'apt_key',
    'apt_repository',
    'blockinfile',
    'cron',
    'debconf',
    'dnf',
    'dpkg_selections',
    'expect',
  ],
  ...[
    'file',
    'find',
    'get_url',
    'getent',
    'git',
    'group',
    'hostname',
    'iptables',
    'known_hosts',
    'lineinfile',
  ],
  ...['package_facts', 'ping', 'pip', 'replace', 'rpm_key', 'service_facts', 'setup', 'slurp', 'stat'],
  ...[
    'subversion',
    'systemd',
    'systemd_service',
    'sysvinit',
    'tempfile',
    'user',
    'wait_for',
    'yum_repository',
  ],
];

const metaWords = new Set([
  'noop',
  'flush_handlers',
  'end_host',
  'end_play',
  'clear_host_errors',
  'reset_connection',
]);

export const modules: ReadonlyMap<string, ModuleRule> = new Map<string, ModuleRule>([
  ...nodeModules.map((name): [string, ModuleRule] => [name, {}]),
  // Actions on the controller that only lead to modules and commands on the node.
  ['command', { freeForm: 'cmd' }],
  ['shell', { freeForm: 'cmd' }],
  ['raw', { freeForm: '_raw_params', only: ['_raw_params', 'executable'] }],
  ['async_status', { only: ['jid', 'mode'] }],
  ['gather_facts', { only: ['gather_subset', 'gather_timeout', 'filter', 'fact_path'] }],
  ['reboot', {}],
  ['wait_for_connection', {}],
  ['package', { check: (args, place) => checkChoice(args, 'use', packageManagers, place) }],
  ['service', { check: (args, place) => checkChoice(args, 'use', serviceManagers, place) }],
  ['yum', { check: checkYum }],
  // Actions that never leave the controller, and do nothing there.
  ['debug', { only: ['msg', 'var', 'verbosity'], conditions: ['var'] }],
  ['fail', { only: ['msg'] }],
  ['assert', { only: ['that', 'msg', 'fail_msg', 'success_msg', 'quiet'], conditions: ['that'] }],
  ['set_fact', { isEvaluatedAgain: true, check: checkFacts }],
  // A prompt would wait for somebody at a keyboard.
  ['pause', { only: ['seconds', 'minutes'], check: checkPause }],
  // Actions that take their source from the controller, unless told otherwise.
  ['copy', { check: checkCopy }],
  ['unarchive', { check: checkUnarchive }],
  ['assemble', { check: checkAssemble }],
  ['uri', { check: checkUri }],
]);

export const refusedModules = new Map([
  ['script', 'it copies a file of the controller'],
  ['template', 'it reads a file of the controller'],
  ['fetch', 'it writes to the controller'],
  ['add_host', 'it adds nodes to the run'],
  ['group_by', 'it changes the inventory'],
  ['include_vars', 'it reads files of the controller'],
  ['include', 'it reads files of the controller'],
  ['include_tasks', 'it reads files of the controller'],
  ['include_role', 'it reads files of the controller; give a list of roles'],
  ['import_tasks', 'it reads files of the controller'],
  ['import_role', 'it reads files of the controller; give a list of roles'],
  ['import_playbook', 'it reads files of the controller'],
  ['set_stats', 'it changes what is counted'],
  ['validate_argument_spec', 'it belongs to roles'],
  ['async_wrapper', 'it is a part of Ansible; use async'],
]);

export const builtinPrefix = 'ansible.builtin.';

/** `meta` is part of the play's own course; it takes one word. */
export function readMetaWord(given: JsonValue, place: string): string {
  const word = typeof given === 'string' ? given.trim() : isJsonObject(given) ? given.free_form : undefined;
  if (typeof word !== 'string' || !metaWords.has(word))
    return refuse(place, `expected one of ${[...metaWords].join(', ')}`);
  return word;
}

const packageManagers = new Set(['auto', 'apt', 'dnf', 'dnf5', 'yum', 'yum4']);
const serviceManagers = new Set(['auto', 'service', 'systemd', 'sysvinit']);

/** These name the module that is run in their place. */
function checkChoice(args: JsonObject, key: string, choices: ReadonlySet<string>, place: string): void {
  const value = args[key];
  if (value !== undefined && (typeof value !== 'string' || !choices.has(value)))
    refuse(place, `${key}: expected one of ${[...choices].join(', ')}`);
}

function checkYum(args: JsonObject, place: string): void {
  checkChoice(args, 'use', packageManagers, place);
  checkChoice(args, 'use_backend', packageManagers, place);
}

function checkPause(args: JsonObject, place: string): void {
  if (args.seconds === undefined && args.minutes === undefined)
    refuse(place, 'seconds or minutes are missing');
}

function checkFacts(args: JsonObject, place: string): void {
  // Read by the action itself, not a fact; it would outlast the run in a cache of facts.
  if (args.cacheable !== undefined) refuse(place, 'cacheable is not allowed');
  for (const key of Object.keys(args)) checkVariableName(key, place);
}

function checkCopy(args: JsonObject, place: string): void {
  checkTransfer(args, place);
  const { content, src } = args;
  // A content that turns out to be nothing would leave the source of the controller.
  if (content !== undefined && content !== null && src === undefined) return;
  if (content !== undefined) refuse(place, 'content and src are both given, or content is nothing');
  if (!isTrue(args.remote_src))
    refuse(place, 'src is read on the controller; give content, or remote_src: true');
}

function checkUnarchive(args: JsonObject, place: string): void {
  checkTransfer(args, place);
  if (args.copy !== undefined) refuse(place, 'copy is not allowed; give remote_src: true');
  if (!isTrue(args.remote_src)) refuse(place, 'src is read on the controller; give remote_src: true');
}

function checkAssemble(args: JsonObject, place: string): void {
  checkTransfer(args, place);
  if (args.remote_src !== undefined && !isTrue(args.remote_src))
    refuse(place, 'src is read on the controller; give remote_src: true');
}

function checkTransfer(args: JsonObject, place: string): void {
  for (const key of ['decrypt', 'local_follow'])
    if (args[key] !== undefined) refuse(place, `${key} is about files of the controller`);
}

const bodyFormats = new Set(['json', 'raw', 'form-urlencoded']);

function checkUri(args: JsonObject, place: string): void {
  if (isTrue(args.remote_src)) return;
  if (args.src !== undefined) refuse(place, 'src is read on the controller; give remote_src: true');
  const format = args.body_format;
  // Multipart bodies read files.
  if (format !== undefined && (typeof format !== 'string' || !bodyFormats.has(format)))
    refuse(place, `body_format: expected one of ${[...bodyFormats].join(', ')}, or remote_src: true`);
}

/** Written out: what a template makes of it is known too late. */
function isTrue(value: JsonValue | undefined): boolean {
  return value === true || value === 1 || (typeof value === 'string' && /^(?:yes|on|1|true)$/i.test(value));
}
