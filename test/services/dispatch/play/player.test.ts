// Plays of the real ansible-playbook on real SSH servers.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { usePlayPlatform } from '../../../helpers/play-platform.ts';

const platform = usePlayPlatform(['127.0.11.1', '127.0.11.2']);
const closed = { address: '127.0.11.3', port: 1, text: '127.0.11.3:1' };

describe('a play', () => {
  test('tells what became of each task on each node, reachable or not', async () => {
    const nodes = [...platform.nodes, closed];
    const record = platform.start(
      [
        { name: 'say it', command: { argv: ['echo', '{{ word }}'] } },
        { name: 'not here', command: 'true', when: 'word == "other"' },
        { name: 'bad luck', command: 'false', ignore_errors: true },
      ],
      { nodes, params: { word: 'hallo' } },
    );
    expect(await record.end).toEqual({ kind: 'ended', exitCode: 4, lastWords: '', hasActed: true });
    const outcomes = record.tasks.map(({ node, action, result, isIgnored }) => [
      node,
      action,
      result,
      isIgnored,
    ]);
    const [first, second] = platform.nodes.map(({ text }) => text);
    expect(outcomes.toSorted()).toEqual(
      [
        ...[first, second].flatMap((node) => [
          [node, 'say it', 'ok', false],
          [node, 'not here', 'skipped', false],
          [node, 'bad luck', 'failed', true],
        ]),
        [closed.text, 'say it', 'unreachable', false],
      ].toSorted(),
    );
    const said = record.tasks.find(({ action, node }) => action === 'say it' && node === first);
    expect(said).toMatchObject({
      module: 'command',
      isChanged: true,
      detail: { stdout: 'hallo', rc: 0, cmd: ['echo', 'hallo'] },
    });
    expect(said?.endedAt).toBeGreaterThan(said?.startedAt ?? 0);
    const none = { ok: 0, changed: 0, failures: 0, unreachable: 0, skipped: 0, rescued: 0, ignored: 0 };
    expect(record.events.at(-1)).toEqual({
      kind: 'stats',
      nodes: {
        [String(first)]: { ...none, ok: 2, changed: 2, skipped: 1, ignored: 1 },
        [String(second)]: { ...none, ok: 2, changed: 2, skipped: 1, ignored: 1 },
        [closed.text]: { ...none, unreachable: 1 },
      },
    });
    expect(await readdir(join(platform.folder, 'dispatch/runs'))).toEqual([]);
  });

  test('tells of a task while the next one runs', async () => {
    const [node] = platform.nodes;
    const record = platform.start(
      [
        { name: 'first', command: 'true' },
        // Goes on once the test has heard of the first.
        { name: 'second', shell: 'for i in $(seq 150); do [ -e /tmp/go ] && exit; sleep 0.1; done; exit 1' },
      ],
      { nodes: platform.nodes.slice(0, 1) },
    );
    await record.waitForTask(({ action }) => action === 'first');
    await writeFile(join(node?.folder ?? '', 'tmp/go'), '');
    expect(await record.end).toMatchObject({ kind: 'ended', exitCode: 0 });
    expect(record.tasks.map(({ result }) => result)).toEqual(['ok', 'ok']);
  });

  test('offers events again until they are taken', async () => {
    const nodes = platform.nodes.slice(0, 1);
    const offers: number[] = [];
    const end = await platform.player.play(
      {
        runKey: 'offered-again',
        nodes,
        user: platform.user,
        forks: 1,
        timeoutMs: 15_000,
        content: { kind: 'tasks', tasks: [{ debug: { msg: 'x' } }] },
        params: {},
        secretTexts: [],
      },
      {
        signal: new AbortController().signal,
        async onEvents(events) {
          offers.push(events.length);
          if (offers.length === 1) throw new Error('not now');
        },
      },
    );
    expect(end.kind).toBe('ended');
    expect(offers[0]).toBeGreaterThan(0);
    expect(offers[1]).toBe(offers[0]);
  });

  test('has the words of Ansible about content that it cannot read', async () => {
    const record = platform.start([{ name: 'x', no_such_module_here: {} }]);
    const end = await record.end;
    expect(end).toMatchObject({ kind: 'ended', exitCode: 4 });
    expect(end.kind === 'ended' && end.lastWords).toMatch(
      /couldn't resolve module\/action 'no_such_module_here'/,
    );
    expect(record.events).toEqual([]);
  });

  test('runs roles of the given folders, with facts of the nodes and files of this machine', async () => {
    const roles = join(platform.folder, 'roles');
    const source = join(platform.folder, 'parcel.txt');
    await mkdir(join(roles, 'greet/tasks'), { recursive: true });
    await writeFile(source, 'of this machine');
    const tasks = [
      { name: 'bring', copy: { src: '{{ parcel }}', dest: '/tmp/parcel' } },
      { name: 'look', command: 'cat /tmp/parcel', register: 'seen' },
      { name: 'tell', debug: { msg: '{{ seen.stdout }} {{ ansible_system }} {{ lookup("env", "HOME") }}' } },
    ];
    await writeFile(join(roles, 'greet/tasks/main.yml'), JSON.stringify(tasks));
    const player = platform.createPlayer({ roleFolders: [join(platform.folder, 'none'), roles] });
    const play = {
      content: { kind: 'roles' as const, roles: ['greet'] },
      nodes: platform.nodes.slice(0, 1),
      controllerFiles: { parcel: source },
    };
    const record = platform.start([], play, { player });
    expect(await record.end).toMatchObject({ kind: 'ended', exitCode: 0 });
    expect(record.tasks.map(({ action }) => action)).toEqual(['Gathering Facts', 'bring', 'look', 'tell']);
    expect(record.tasks.at(-1)?.detail.msg).toBe('of this machine Linux /tmp');
    expect(record.tasks[0]?.detail).not.toHaveProperty('ansible_facts');
  });

  test('does not begin with a key of a run that is under way, or with variables of Ansible', async () => {
    const runKey = 'under-way';
    const first = platform.start([{ command: 'sleep 1' }], { runKey });
    const second = platform.start([{ command: 'true' }], { runKey, params: { ansible_host: '127.0.0.1' } });
    expect(await second.end).toEqual({
      kind: 'not_started',
      reason: "params: ansible_host is Ansible's own",
    });
    const third = platform.start([{ command: 'true' }], { runKey });
    const ends = await Promise.all([first.end, third.end]);
    // Whichever was first to make the folder.
    expect(ends.filter(({ kind }) => kind === 'not_started')).toMatchObject([
      { reason: expect.stringContaining('EEXIST') },
    ]);
  });

  test('shows Ansible nothing of this machine but what it needs', async () => {
    const roles = join(platform.folder, 'spies');
    await mkdir(join(roles, 'spy/tasks'), { recursive: true });
    const look =
      'ls -d /home /root /etc/shadow /var /srv /sys 2>/dev/null; id -u; ls /; ls /proc | grep -c "^[0-9]"';
    const tasks = [{ command: { argv: ['sh', '-c', look] }, delegate_to: 'localhost', connection: 'local' }];
    await writeFile(join(roles, 'spy/tasks/main.yml'), JSON.stringify(tasks));
    const player = platform.createPlayer({ roleFolders: [roles] });
    const play = { content: { kind: 'roles' as const, roles: ['spy'] }, nodes: platform.nodes.slice(0, 1) };
    const record = platform.start([], play, { player });
    const { detail } = await record.waitForTask(({ module }) => module === 'command');
    await record.end;
    const words = String(detail.stdout).split('\n');
    expect(words[0]).toBe('1000');
    expect(
      words.slice(1, -1).filter((name) => !/^(s?bin|lib(32|64)?|usr|etc|dev|proc|tmp)$/.test(name)),
    ).toEqual(['events.jsonl', 'known_hosts', 'play', 'plugins', 'roles', 'ssh_key']);
    expect(Number(words.at(-1))).toBeLessThan(20);
  });
});
