// The names that variables of a caller may have.
import { refuse, showKey } from './refusal.ts';

/**
 * A variable of this name is the empty text, marked as not to be evaluated. What a template makes takes that mark over as soon
 * as the template looks at such a variable.
 */
export const plainMark = 'probe_plain_mark';

/** What Ansible sets itself, beside `ansible_…`: a variable of that name would shadow it, or be shadowed without a word. */
const magicNames = new Set([
  'environment',
  'group_names',
  'groups',
  'hostvars',
  'inventory_dir',
  'inventory_file',
  'inventory_hostname',
  'inventory_hostname_short',
  'omit',
  'play_hosts',
  'playbook_dir',
  'role_name',
  'role_names',
  'role_path',
  'role_uuid',
  'vars',
  'vars_files',
  plainMark,
]);

/** Words of Python, which Ansible takes for no name. */
const keywords = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global if ' +
    'import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
);

/** Refuses what is no name of a variable, and those that steer Ansible (`ansible_connection` moves a task to the controller). */
export function checkVariableName(name: string, place: string): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || keywords.has(name))
    refuse(place, `${showKey(name)} is no name of a variable`);
  const lower = name.toLowerCase();
  if (/^_*ansible_/.test(lower)) refuse(place, `${showKey(name)}: names in ansible_ belong to Ansible`);
  if (name.startsWith('__') || magicNames.has(lower) || lower.startsWith('inventory_'))
    refuse(place, `${showKey(name)} is a name that Ansible sets itself`);
}
