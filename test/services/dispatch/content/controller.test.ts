import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readContent } from '../../../../services/dispatch/content/read-content.ts';
import { readParams } from '../../../../services/dispatch/content/read-params.ts';
import { createFolder, runOnController } from './controller-plays.ts';
import { injections, secondEvaluations } from './injections.ts';
import { asJson, readTasks } from './read-tasks.ts';

/** A folder in which every injection of a list leaves a file of its own number. */
async function prepareCanaries() {
  const folder = await createFolder();
  const canaries = join(folder, 'canaries');
  await mkdir(canaries);
  return {
    folder,
    commandOf: (index: number) => `touch ${join(canaries, String(index))}`,
    async listTitles(list: readonly { title: string }[]) {
      const found = await readdir(canaries);
      return found.map((name) => list[Number(name)]?.title).toSorted();
    },
  };
}

const titlesOf = (list: readonly { title: string }[]) => list.map(({ title }) => title).toSorted();

describe('content that reaches the machine that runs Ansible', () => {
  test('does so in every way that is refused', { timeout: 90_000 }, async () => {
    const { folder, commandOf, listTitles } = await prepareCanaries();
    const plays = injections.map(({ tasks }, index) => ({ tasks: asJson(tasks(commandOf(index))) }));

    await runOnController(folder, plays, 'away');

    expect(await listTitles(injections)).toEqual(titlesOf(injections));
  });

  test.each(injections)('is refused: $title', ({ tasks }) => {
    const given = tasks('touch /canary');

    const readings = [given, JSON.stringify(given)].map((form) => readContent({ tasks: form }, new Set()));

    for (const reading of readings) {
      expect(reading).toMatchObject({ ok: false, reason: expect.stringMatching(/^tasks\[\d]/) });
      expect(JSON.stringify(reading)).not.toContain('canary');
    }
  });

  test('by a text that a template makes up does so as it is, and not as it is handed over', {
    timeout: 90_000,
  }, async () => {
    const asGiven = await prepareCanaries();
    const asRead = await prepareCanaries();

    await runOnController(
      asGiven.folder,
      secondEvaluations.map(({ tasks }, index) => ({ tasks: asJson(tasks(asGiven.commandOf(index))) })),
      'here',
    );
    await runOnController(
      asRead.folder,
      secondEvaluations.map(({ tasks }, index) => ({ tasks: readTasks(tasks(asRead.commandOf(index))) })),
      'here',
    );

    expect(await asGiven.listTitles(secondEvaluations)).toEqual(titlesOf(secondEvaluations));
    expect(await asRead.listTitles(secondEvaluations)).toEqual([]);
  });

  test('by a lookup in a parameter is data once its texts are marked', { timeout: 60_000 }, async () => {
    const { folder, commandOf, listTitles } = await prepareCanaries();
    const list = [{ title: 'as it is' }, { title: 'marked' }];
    const texts = list.map((_, index) => `{{ lookup('pipe', '${commandOf(index)}') }}`);
    const readings = texts.map((a) => readParams({ a }, null));

    await runOnController(
      folder,
      readings.map((reading, index) => ({
        tasks: [{ debug: { msg: '{{ a }}' } }],
        variables: {
          a:
            index === 1
              ? { __ansible_unsafe: texts[index] ?? '' }
              : reading.ok
                ? (reading.value.params.a ?? '')
                : '',
        },
      })),
      'away',
    );

    expect(await listTitles(list)).toEqual(['as it is']);
  });
});

describe('content as it is handed to Ansible', () => {
  // Without a module, which would take the longest part of the test.
  const write = (text: string, name: string) => ({
    raw: `printf %s '${text}' > '{{ folder }}/${name}'`,
  });
  const lists: unknown[][] = [
    [
      { shell: 'echo "a  b" | sed \'s/{/}/\' > x; grep -c include x >> x || true chdir={{ folder }}' },
      { command: 'touch made creates=nothing chdir="{{ folder }}"' },
      { command: { argv: ['touch', 'made by argv'], chdir: '{{ folder }}' } },
      { command: 'touch kept', args: { chdir: '{{ folder }}' } },
      { shell: 'FOO=bar sh -c \'echo "$FOO" > foo\'', args: { chdir: '{{ folder }}' } },
      { raw: 'echo raw > {{ folder }}/raw' },
      { raw: 'echo $BASH_VERSION > {{ folder }}/bash executable=/bin/bash' },
      { action: 'raw echo old > {{ folder }}/old' },
      { action: { module: 'copy', content: 'c', dest: '{{ folder }}/c' } },
      { action: { module: 'copy content="d e" dest={{ folder }}/d' } },
      { 'ansible.builtin.file': 'path={{ folder }}/dir state=directory mode=0750' },
    ],
    [
      write('{{ "yes" if number == 5 else "no" }}', 'if'),
      write('{% for i in list %}{{ i.name | upper }},{% endfor %}', 'for'),
      write('{% raw %}{{.Names}}{% endraw %} {{ list | map(attribute="name") | join("+") }}', 'raw'),
      {
        set_fact: { a: '{{ list }}', b: 'x{{ number }}', c: true, d: '{{ number }}', e: '\n{{ number }}\n' },
      },
      { set_fact: 'f="{{ a[0].name }}" g=yes' },
      write('{{ [a, b, c, d, e, f, g] | to_json }}', 'facts'),
      { ...write('{{ item }}', '{{ item }}'), loop: ['one', '{{ "two" }}', '3'] },
    ],
    [
      {
        ...write('{{ thing.name }} {{ at }}', '{{ thing.name }}'),
        loop: '{{ list }}',
        loop_control: { loop_var: 'thing', index_var: 'at' },
      },
      { ...write('{{ item.key }}={{ item.value }}', 'dict-{{ item.key }}'), with_dict: { k: 'v' } },
      { ...write('{{ item }}', 'items-{{ item }}'), with_items: ['{{ number }}', ['flat']] },
      { shell: 'echo $A > {{ folder }}/environment', environment: { A: '{{ list[1].name }}' } },
      {
        ...write('{{ v }} {{ w | to_json }}', 'vars'),
        vars: { v: '{{ number + 1 }}', w: '{{ number }}' },
        when: ['number is defined', 'list | length == 2'],
      },
      {
        ...write('never', 'skipped'),
        when: 'number > 5 or not (list | selectattr("name", "equalto", "n1"))',
      },
      { raw: 'echo out', register: 'result', changed_when: 'result.rc == 1', until: 'result.rc == 0' },
      write('{{ result.stdout }} {{ result is changed }} {{ result.stdout_lines[0] }}', 'register'),
      {
        block: [{ fail: { msg: 'x' } }],
        rescue: [write('rescued', 'rescue')],
        always: [write('a', 'always')],
      },
      { assert: { that: ['number == 5', 'list[0].name == "n1"'] } },
      { debug: { var: 'list[0].name' } },
      { meta: 'end_play' },
      write('not reached', 'after the end'),
    ],
  ];

  test('does what it does as it is given', { timeout: 120_000 }, async () => {
    const folder = await createFolder();
    const variables = { number: 5, list: [{ name: 'n1' }, { name: 'n2' }] };
    const folders = lists.flatMap((_, index) => [
      join(folder, `given${index}`),
      join(folder, `read${index}`),
    ]);
    for (const each of folders) await mkdir(each);

    const printed = await runOnController(
      folder,
      lists.flatMap((tasks, index) => [
        { tasks: asJson(tasks), variables: { ...variables, folder: folders[2 * index] ?? '' } },
        { tasks: readTasks(tasks), variables: { ...variables, folder: folders[2 * index + 1] ?? '' } },
      ]),
      'here',
    );

    const files = await Promise.all(folders.map((each) => readFolder(each)));
    for (const [index, tasks] of lists.entries()) {
      const [given = {}, read = {}] = files.slice(2 * index, 2 * index + 2);
      expect(read, printed).toEqual(given);
      expect(Object.keys(given).length, printed).toBeGreaterThan(tasks.length / 2);
    }
    expect(files.flatMap((each) => Object.keys(each))).not.toContain('after the end');
  });
});

/** Content of every file by name. */
async function readFolder(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true });
  return Object.fromEntries(
    await Promise.all(
      entries.map(async (entry) => [
        entry.name,
        entry.isFile() ? await readFile(join(folder, entry.name), 'utf8') : 'a folder',
      ]),
    ),
  );
}
