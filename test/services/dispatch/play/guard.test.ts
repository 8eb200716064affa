// What gets past the check of content still reaches nothing of this machine: plays straight from here, without that check.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../../services/dispatch/content/json.ts';
import { usePlayPlatform } from '../../../helpers/play-platform.ts';

const platform = usePlayPlatform(['127.0.15.1']);
const pipe = 'lookup("pipe", "echo canary; touch /events.jsonl.canary /tmp/canary")';
const braces = (expression: string) => `{{ ${expression} }}`;
const say = (msg: string): JsonObject => ({ debug: { msg } });
const command: JsonObject = { command: 'echo canary' };

const attacks: Record<string, JsonObject> = {
  'a lookup': say(braces(pipe)),
  'a query': say(braces('query("pipe", "echo canary")')),
  'a query by its short name': say(braces('q("file", "/ssh_key")')),
  'a lookup in a condition': { ...say('canary'), when: `${pipe} is defined` },
  'a lookup in an assertion': { assert: { that: [`${pipe} is defined`] } },
  'a lookup in a name': { ...say('canary'), name: braces(pipe) },
  'a lookup in the environment': { ...command, environment: { A: braces(pipe) } },
  'a lookup in failed_when': { command: 'true', failed_when: `${pipe} != "canary"` },
  'a lookup of a fact': say('{{ fact }}'),
  'a loop over lines': { ...say('{{ item }}'), with_lines: 'echo canary' },
  'a loop over a file': { ...say('{{ item }}'), with_file: '/ssh_key' },
  'a loop over names': { ...say('canary {{ item }}'), with_fileglob: '/*' },
  'a filter that lists': say(braces("'/*' | fileglob")),
  'a filter that reads the environment': say(braces("'$HOME' | ansible.builtin.expandvars")),
  'a test of files': say(braces("'canary' if '/ssh_key' is file else 'canary'")),
  'an inner part of Python': say(braces("''.__class__.__mro__")),
  'an inner part by a filter': say(braces("'' | attr('__class__')")),
  'an inner part by a map': say(braces("[''] | map(attribute='__class__') | list")),
  'an inner part by a format': say(braces("'{0.__class__}'.format('')")),
  'an inner part by an index': say(braces("''['__class__']")),
  'the globals of a function': say(braces("cycler.__init__.__globals__.os.popen('echo canary').read()")),
  'the inventory behind the nodes': say(braces('hostvars._inventory')),
  'Jinja set otherwise': say("#jinja2: sandboxed:False\n{{ '' | attr('__class__') }}"),
  'a file by inclusion': say('{% include "/ssh_key" %}'),
  'this machine as a delegate': { ...command, delegate_to: 'localhost' },
  'this machine by a variable': { ...command, vars: { ansible_connection: 'local' } },
  'this machine as another node': {
    ...command,
    vars: { ansible_host: '127.0.0.1' },
    ignore_unreachable: true,
  },
  'a key copied away': { copy: { src: '/ssh_key', dest: '/tmp/canary' } },
  'a template of this machine': { template: { src: '/play/variables.json', dest: '/tmp/canary' } },
  'a script of this machine': { script: '/bin/true' },
  'variables of a file': { include_vars: '/play/events.json' },
};

test('nothing of this machine is reached at run time', async () => {
  const setFact = { set_fact: { fact: `{{ '{' }}{{ '{ ${pipe} }' }}{{ '}' }}` } };
  const tasks = Object.entries(attacks).map(([name, task]) => ({ name, ...task, ignore_errors: true }));
  const record = platform.start([setFact, ...tasks], {});
  expect(await record.end).toMatchObject({ kind: 'ended' });
  const attacked = record.tasks.slice(1);
  expect(attacked).toHaveLength(tasks.length);
  const succeeded = attacked.filter(({ result }) => result !== 'failed');
  expect(succeeded.map(({ action, detail }) => [action, detail])).toEqual([]);
  expect(JSON.stringify(attacked.map(({ detail }) => detail.stdout ?? ''))).not.toContain('canary');
  const left = await readdir(join(platform.nodes[0]?.folder ?? '', 'tmp'));
  expect(left.filter((name) => name.includes('canary'))).toEqual([]);
});

test('variables of the connection do not change how nodes are reached', async () => {
  const vars = {
    ansible_ssh_executable: '/bin/echo',
    ansible_ssh_common_args: '-o ProxyCommand="touch /tmp/canary"',
    ansible_ssh_extra_args: '-o StrictHostKeyChecking=no',
    ansible_ssh_private_key_file: '/play/playbook.json',
    ansible_host_key_checking: false,
  };
  const record = platform.start([{ command: 'echo reached', vars }]);
  expect(await record.end).toMatchObject({ kind: 'ended', exitCode: 0 });
  expect(record.tasks[0]?.detail.stdout).toBe('reached');
});

test('what only rearranges values works as ever', async () => {
  const record = platform.start(
    [
      { ...say('{{ item }}'), with_items: [1, 2] },
      { ...say('{{ item.key }}={{ item.value }}'), with_dict: { a: 1 } },
      {
        ...say('{{ item.name | upper }}'),
        loop: '{{ people | selectattr("name", "equalto", "eva") | list }}',
      },
      say('{{ "%s-%s" | format("a", inventory_hostname) }} {{ "a b".split() | join("+") }} {{ plain }}'),
    ],
    { params: { people: [{ name: 'eva' }, { name: 'max' }], plain: braces('1 + 1') } },
  );
  expect(await record.end).toEqual({ kind: 'ended', exitCode: 0, lastWords: '', hasActed: true });
  const said = record.tasks.map(({ detail }) => detail);
  const messages = said
    .slice(0, 3)
    .map(({ results }) => JSON.stringify(results).match(/"msg":("[^"]*"|\d+)/g));
  expect(messages).toEqual([['"msg":1', '"msg":2'], ['"msg":"a=1"'], ['"msg":"EVA"']]);
  expect(said[3]?.msg).toBe(`a-${platform.nodes[0]?.text} a+b {{ 1 + 1 }}`);
});

test('a role reads its own files, and none of the run, whatever a variable says', async () => {
  const roles = join(platform.folder, 'roles');
  const read = [
    { copy: { src: '{{ source }}', dest: '/tmp/taken' } },
    { copy: { content: "{{ lookup('file', source) }}", dest: '/tmp/taken' } },
    { include_vars: '{{ source }}' },
    { template: { src: '{{ source }}', dest: '/tmp/taken' } },
    { copy: { src: 'own', dest: '/tmp/own' } },
    { copy: { content: "{{ lookup('file', 'own') }}", dest: '/tmp/own' } },
  ];
  await mkdir(join(roles, 'reader/tasks'), { recursive: true });
  await mkdir(join(roles, 'reader/files'), { recursive: true });
  await writeFile(join(roles, 'reader/files/own'), 'own');
  const tasks = read.map((task) => ({ ...task, ignore_errors: true }));
  await writeFile(join(roles, 'reader/tasks/main.yml'), JSON.stringify(tasks));
  const player = platform.createPlayer({ roleFolders: [roles] });
  for (const source of ['/ssh_key', '/proc/self/cwd/events.json']) {
    const play = { content: { kind: 'roles' as const, roles: ['reader'] }, params: { source } };
    const record = platform.start([], play, { player });
    expect(await record.end).toMatchObject({ kind: 'ended' });
    expect(record.tasks.slice(1).map(({ result }) => result)).toEqual([
      ...['failed', 'failed', 'failed', 'failed'],
      ...['ok', 'ok'],
    ]);
  }
});
