import { describe, expect, test } from 'vitest';
import { readContent } from '../../../../services/dispatch/content/read-content.ts';
import { readOrThrow, readTasks, refusalOf } from './read-tasks.ts';

const uptime = [{ 'ansible.builtin.shell': { cmd: 'uptime' } }];

describe('content', () => {
  test.each<{ form: string; given: unknown }>([
    { form: 'actions with a text', given: [{ action: { module: 'shell', args: 'uptime' } }] },
    { form: 'actions with parameters', given: [{ action: { module: 'shell', args: { cmd: 'uptime' } } }] },
    {
      form: 'actions with parameters beside the module',
      given: [{ action: { module: 'shell', cmd: 'uptime' } }],
    },
    { form: 'actions in a line', given: [{ action: 'shell uptime' }] },
    { form: 'tasks of a play', given: [{ shell: 'uptime' }] },
    { form: 'tasks with full names', given: [{ 'ansible.builtin.shell': 'uptime' }] },
    { form: 'JSON in a string', given: '[{"action": {"module": "shell", "args": "uptime"}}]' },
    { form: 'YAML in a string', given: '---\n- shell: uptime\n' },
    { form: 'a single task', given: { shell: 'uptime' } },
    { form: 'a single task as JSON', given: '{"shell": "uptime"}' },
    { form: 'parameters in the keyword args', given: [{ shell: null, args: { cmd: 'uptime' } }] },
  ])('is the same as $form', ({ given }) => {
    expect(readTasks(given)).toEqual(uptime);
  });

  test('is a list of roles as an array, as JSON and as YAML', () => {
    for (const given of [['nginx', 'base'], '["nginx", "base"]', '- nginx\n- base'])
      expect(readOrThrow(given, ['base', 'nginx'])).toEqual({ kind: 'roles', roles: ['nginx', 'base'] });
  });

  test('comes under either key, and has to be the same under both', () => {
    const roles = new Set<string>();
    const ok = { ok: true, value: { kind: 'tasks', tasks: uptime } };
    expect(readContent({ content: '- shell: uptime' }, roles)).toEqual(ok);
    expect(readContent({ content: '- shell: uptime', tasks: null }, roles)).toEqual(ok);
    expect(readContent({ content: '- shell: uptime', tasks: [{ shell: 'uptime' }] }, roles)).toEqual(ok);
    expect(readContent({ content: '- shell: uptime', tasks: [{ shell: 'id' }] }, roles)).toEqual({
      ok: false,
      reason: 'tasks and content are both given, and differ',
    });
    expect(readContent({}, roles)).toEqual({ ok: false, reason: 'tasks is missing' });
  });

  test('has to be what tasktype says', () => {
    const roles = new Set(['nginx']);
    const typeOf = (tasks: unknown, tasktype: string) => readContent({ tasks, tasktype }, roles).ok;
    expect(typeOf(['nginx'], 'ansible_role')).toBe(true);
    expect(typeOf(['nginx'], 'ansible_task')).toBe(false);
    expect(typeOf([{ ping: null }], 'ansible_task')).toBe(true);
    expect(typeOf([{ ping: null }], 'ansible_role')).toBe(false);
  });

  test('keeps the names and keywords of tasks and blocks', () => {
    const yaml = `
- name: install
  apt: name=nginx state=present
  become: yes
  when: ansible_os_family == 'Debian'
  register: result
  until: result is succeeded
  retries: 3
  delay: 5
- block:
    - name: 5
      ping:
  rescue:
    - fail: msg=gone
  always:
    - meta: clear_host_errors
  ignore_errors: no
`;
    expect(readTasks(yaml)).toEqual([
      {
        name: 'install',
        'ansible.builtin.apt': { name: 'nginx', state: 'present' },
        become: true,
        when: "ansible_os_family == 'Debian'",
        register: 'result',
        until: 'result is succeeded',
        retries: 3,
        delay: 5,
      },
      {
        block: [{ name: '5', 'ansible.builtin.ping': {} }],
        rescue: [{ 'ansible.builtin.fail': { msg: 'gone' } }],
        always: [{ 'ansible.builtin.meta': 'clear_host_errors' }],
        ignore_errors: false,
      },
    ]);
  });

  test('takes the options of commands out of their text as Ansible does', () => {
    const text = 'A=1 make x="a b"  chdir=/tmp\n--flag creates="/tmp/a b" || true';
    expect(readTasks([{ shell: text }, { raw: 'uptime executable=/bin/bash' }])).toEqual([
      {
        'ansible.builtin.shell': {
          cmd: 'A=1 make x="a b"  --flag || true',
          chdir: '/tmp',
          creates: '/tmp/a b',
        },
      },
      { 'ansible.builtin.raw': { _raw_params: 'uptime', executable: '/bin/bash' } },
    ]);
  });

  test('leaves text without delimiters of a template as it is', () => {
    const text =
      "mysql -e \"select q from lookup where a.__class__ like '%s'\" | sed 's/{/}/' | grep include";
    expect(readTasks([{ shell: { cmd: text } }])).toEqual([{ 'ansible.builtin.shell': { cmd: text } }]);
  });
});

describe('YAML', () => {
  test('is read as Ansible reads it', () => {
    const yaml = `
- file:
    a: [yes, No, on, y, ~, "yes"]
    b: [0644, 08, 0x1f, 0b11, 1_000, 1:30, 12e4567, 1e3, 1.5, -2]
    c: 2001-12-14
`;
    expect(readTasks(yaml)).toEqual([
      {
        'ansible.builtin.file': {
          a: [true, false, true, 'y', null, 'yes'],
          b: [420, '08', 31, 3, 1000, 90, '12e4567', '1e3', 1.5, -2],
          c: '2001-12-14',
        },
      },
    ]);
  });

  test('may use anchors and merges', () => {
    const yaml = '- file: &one\n    path: /a\n    state: touch\n- file:\n    <<: *one\n    path: /b\n';
    expect(readTasks(yaml)[1]).toEqual({ 'ansible.builtin.file': { path: '/b', state: 'touch' } });
  });

  test.each<[string, string, RegExp]>([
    ['a vault', '- debug: {msg: !vault secret}', /line 1: a YAML tag/],
    ['an unsafe text', '- debug:\n    msg: !unsafe secret', /line 2: a YAML tag/],
    ['binary', '- debug: {msg: !!binary c2VjcmV0}', /a YAML tag/],
    ['a Python object', '- debug: {msg: !!python/object/apply:os.system [secret]}', /a YAML tag/],
    ['a key given twice', '- debug: {msg: secret, msg: b}', /a key is given twice/],
    ['two documents', '---\n- ping:\n---\n- secret:', /more than one YAML document/],
    ['what is none', '- debug: [secret', /line 1: neither JSON nor YAML/],
    ['a key that is no text', '- debug: {[secret]: b}', /neither JSON nor YAML/],
    ['an infinity', '- debug: {msg: .inf}', /a number that JSON does not have/],
    ['deep nesting', `- debug: {msg: ${'['.repeat(40)}${']'.repeat(40)}}`, /nested too deeply/],
    ['nesting without end', '['.repeat(100_000), /nested too deeply/],
    ['aliases of aliases', bomb(), /too many aliases/],
    ['a text', 'secret', /expected a list/],
    ['nothing', '', /expected a list/],
  ])('with %s is refused', (_, yaml, reason) => {
    expect(refusalOf(yaml)).toMatch(reason);
    expect(refusalOf(yaml)).not.toContain('secret');
  });
});

function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const alias = level === 0 ? 'x' : `*a${level - 1}`;
    return `    v${level}: &a${level} [${Array(9).fill(alias).join(', ')}]`;
  });
  return `- debug:\n${levels.join('\n')}`;
}

describe('odd content', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 'x' : [nested(depth - 1)]);
  const blocks = (depth: number): unknown => (depth === 0 ? { ping: null } : { block: [blocks(depth - 1)] });
  test.each<[string, unknown, RegExp]>([
    ['an empty list', [], /is empty/],
    ['a number', 5, /expected a list/],
    ['tasks among roles', ['nginx', { ping: null }], /both tasks and names of roles/],
    ['a role that is not there', ['nginx'], /tasks\[0]: no role/],
    ['a path for a role', ['../nginx'], /tasks\[0]: no role/],
    ['a play', [{ hosts: 'all', tasks: [{ ping: null }] }], /tasks\[0]: is a play/],
    ['an import of plays', [{ import_playbook: 'a.yml' }], /import_playbook/],
    ['a list for a task', [[{ ping: null }]], /tasks\[0]: expected a task/],
    ['nothing for a task', [null], /tasks\[0]: expected a task/],
    ['a task without a module', [{ name: 'x' }], /tasks\[0]: has no module/],
    ['two modules', [{ ping: null, shell: 'id' }], /more than one module/],
    ['a module and an action', [{ ping: null, action: 'shell id' }], /more than one module/],
    ['arguments twice', [{ action: { module: 'shell id', args: 'id' } }], /more than once/],
    ['an action without a module', [{ action: { args: 'id' } }], /module is missing/],
    ['arguments that do not split', [{ file: 'path=/a "' }], /unbalanced quotes/],
    ['arguments without keys', [{ file: '/a' }], /not key=value/],
    ['arguments that are a list', [{ file: ['/a'] }], /expected parameters/],
    ['a number for a command', [{ shell: 5 }], /expected parameters/],
    ['NUL', [{ shell: 'a\0b' }], /NUL/],
    ['NUL in a key', [{ debug: { 'a\0': 1 } }], /NUL/],
    ['NUL behind an escape', [{ file: 'path=\\x00' }], /NUL/],
    ['half a surrogate pair', [{ shell: '\ud83d' }], /surrogate/],
    ['half a surrogate pair behind an escape', [{ file: 'path=\\ud83d' }], /surrogate/],
    ['a prototype', JSON.parse('[{"debug": {"__proto__": {"x": 1}}}]'), /may not begin with __/],
    ['a task with a prototype', '[{"ping": null, "__proto__": {"when": "a"}}]', /may not begin with __/],
    ['a mark of Ansible', [{ debug: { msg: { __ansible_unsafe: 'x' } } }], /may not begin with __/],
    ['a vault of Ansible', [{ debug: { msg: { __ansible_vault: 'x' } } }], /may not begin with __/],
    ['a constructor as a keyword', [{ ping: null, constructor: 1 }], /constructor is neither/],
    ['deep nesting', [{ debug: { msg: nested(40) } }], /nested too deeply/],
    ['blocks without end', [blocks(40)], /nested too deeply/],
    ['501 tasks', Array(501).fill({ ping: null }), /more than 500 tasks/],
    ['501 tasks in blocks', Array(251).fill({ block: [{ ping: null }] }), /more than 500 tasks/],
    ['too much', [{ shell: 'x'.repeat(300_000) }], /more than 262144 octets/],
    ['too much in a string', `- shell: ${'x'.repeat(300_000)}`, /more than 262144 octets/],
    ['a block without tasks', [{ block: null }], /block: expected a list/],
    ['a rescue alone', [{ rescue: [{ ping: null }] }], /block: expected a list/],
    ['a loop of a block', [{ block: [{ ping: null }], loop: [1] }], /loop is neither/],
    ['a word of meta that steers the play', [{ meta: 'refresh_inventory' }], /meta: expected one of/],
  ])('is refused: %s', (_, given, reason) => {
    expect(refusalOf(given)).toMatch(reason);
  });

  test('of 500 tasks is read', () => {
    expect(readTasks(Array(500).fill({ ping: null }))).toHaveLength(500);
  });

  test('with hundreds of thousands of brackets, words or blocks is decided at once', () => {
    const texts = [
      '{{ ',
      '{{ a.',
      '{{ a|b',
      '{% raw %}',
      '{{ (',
      '{{ not ',
      '\\N{',
      ' ',
      'a="',
      '{{ map("map",',
      "{{ '",
    ];
    for (const text of texts) {
      const given = [{ debug: `msg=${text.repeat(200_000 / text.length)}` }];
      const before = performance.now();
      expect(readContent({ tasks: given }, new Set())).toBeDefined();
      expect(performance.now() - before, text).toBeLessThan(5000);
    }
  });

  test('with tens of thousands of keys in YAML is decided at once', () => {
    const keys = Array.from({ length: 45_000 }, (_, index) => `${index.toString(36)}:\n`).join('');
    const before = performance.now();
    expect(refusalOf(`${keys}a:\n`)).toMatch(/^tasks: line 45001: a key is given twice/);
    expect(performance.now() - before).toBeLessThan(8000);
  });
});
