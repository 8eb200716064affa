// Runs of the real service: Ansible over SSH, from the request to the lines of the log.
import { readFile } from 'node:fs/promises';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { runProgram } from '../../../infra/local-stack/run-program.ts';
import { startDispatchPlatform, startTestNodes } from '../../helpers/dispatch-platform.ts';
import { until } from '../../helpers/test-client.ts';

// Each starts nodes, a service and Ansible: on a machine with much else to do that takes its time.
vi.setConfig({ testTimeout: 60_000 });

const logSchema = z.array(z.looseObject({ host: z.string(), task: z.string(), result: z.string() }));

describe('a run on two nodes that are up and one that is not', () => {
  test('has partly succeeded, and tells so of each node, in rows, log and lines', async () => {
    const { nodes, ...login } = await startTestNodes(['127.0.1.1', '127.0.1.2', '127.0.1.3']);
    const platform = await startDispatchPlatform(login);
    const service = await platform.startReplica();
    await nodes[2]?.stop();
    const texts = nodes.map(({ text }) => text);
    const id = await service.run({
      nodes: texts,
      content: [
        { name: 'greet', action: { module: 'shell', args: 'echo hello {{ who }}' } },
        { name: 'pass over', ping: null, when: 'false' },
        { name: 'fail on one', command: 'test {{ inventory_hostname }} != {{ bad }}' },
      ],
      params: { who: '世界', bad: texts[1] },
    });
    const state = await service.finished(id);
    expect(state).toMatchObject({
      id,
      status: 5,
      err: '2 of 3 nodes failed',
      nodes: `[${texts.map((text) => JSON.stringify(text)).join(', ')}]`,
      node_results: [
        { node: texts[0], status: 2, ok: 2, changed: 2, skipped: 1, failed: 0, err: null },
        { node: texts[1], status: 3, ok: 1, failed: 1, err: expect.stringContaining('fail on one: failed') },
        { node: texts[2], status: 3, failed: 1, err: expect.stringContaining('greet: unreachable') },
      ],
    });
    expect(state.create_time).toBe(new Date(state.create_time).toUTCString());
    const log = logSchema.parse(JSON.parse(state.log));
    expect(log.filter(({ host }) => host === texts[0])).toMatchObject([
      { task: 'greet', result: 'ok', changed: true, rc: 0, stdout: 'hello 世界' },
      { task: 'pass over', result: 'skipped' },
      { task: 'fail on one', result: 'ok' },
    ]);

    const line = (host: string, result: string) =>
      new RegExp(
        `^global_id = 16-16, source = hubble, create_time = \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ, ` +
          `end_time = \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ, host = ${host}, reuslt = ${result}$`,
      );
    const { body } = await service.post('/api/getlog', { host: '127.0.1.2', source: 'hubble' });
    expect(body).toEqual(
      ['ok', 'skipped', 'failed'].map((result) => expect.stringMatching(line('127.0.1.2', result))),
    );
    expect((await service.post('/api/getlog', { host: '127.0.1.3', source: 'hubble' })).body).toEqual([
      expect.stringMatching(line('127.0.1.3', 'unreachable')),
    ]);
  });
});

describe('while a run is under way', () => {
  test('its rows tell what was done so far', async () => {
    const { nodes, ...login } = await startTestNodes(['127.0.1.4']);
    const platform = await startDispatchPlatform(login);
    const service = await platform.startReplica();
    const [node] = nodes;
    const id = await service.run({
      nodes: [node?.text],
      tasks:
        '- name: first\n  command: "true"\n- name: second\n  wait_for: {path: /tmp/go-on, timeout: 20}\n',
    });
    await until(async () => (await service.check(id)).node_results[0]?.ok === 1);
    expect(await service.check(id)).toMatchObject({ status: 1, node_results: [{ status: 1, ok: 1 }] });
    await node?.run('touch /tmp/go-on');
    expect(await service.finished(id)).toMatchObject({ status: 2, node_results: [{ status: 2, ok: 2 }] });
  });
});

describe('fifty requests with one name', () => {
  test('make one run, whichever of two replicas they go to', async () => {
    const { nodes, ...login } = await startTestNodes(['127.0.1.5']);
    const platform = await startDispatchPlatform(login);
    const replicas = [await platform.startReplica(), await platform.startReplica()];
    const task = {
      nodes: [nodes[0]?.text],
      user: null,
      name: 'once',
      content: [{ action: { module: 'shell', args: 'echo x >> /tmp/times' } }],
      params: {},
      fork_num: 1,
    };
    const replies = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => replicas[index % 2]?.post('/api/run', task)),
    );
    const taken = replies.filter((reply) => reply?.status === 200);
    expect(taken).toHaveLength(1);
    const { content } = z.object({ content: z.object({ id: z.int() }) }).parse(taken[0]?.body);
    for (const reply of replies.filter((each) => each !== taken[0])) {
      expect(reply).toEqual({
        status: 400,
        body: { code: -1, message: 'task name is duplicate', content: { id: content.id } },
      });
    }
    expect(await replicas[0]?.finished(content.id)).toMatchObject({ status: 2 });
    expect(await readFile(`${nodes[0]?.folder}/tmp/times`, 'utf8')).toBe('x\n');
  });
});

describe('a secret', () => {
  test('is in no command line, log, row or reply', async () => {
    const canary = `canary-${Math.random().toString(36).slice(2)}`;
    const { nodes, ...login } = await startTestNodes(['127.0.1.6']);
    const platform = await startDispatchPlatform(login);
    const service = await platform.startReplica({ LOG_LEVEL: 'trace' });
    const id = await service.run({
      nodes: [nodes[0]?.text],
      content: [
        { copy: { content: '{{ db_password }}', dest: '/tmp/secret' } },
        { slurp: { src: '/tmp/secret' } },
        { command: 'cat /tmp/secret' },
        { fail: { msg: 'it was {{ token }}' } },
      ],
      params: { db_password: canary },
      secrets: { token: canary },
    });
    const commandLines = new Set<string>();
    await until(async () => {
      const { stdout } = await runProgram('ps', ['-eo', 'args']);
      for (const line of stdout.split('\n')) commandLines.add(line);
      return (await service.check(id)).status > 1;
    });
    expect(await readFile(`${nodes[0]?.folder}/tmp/secret`, 'utf8')).toBe(canary);
    const state = await service.check(id);
    expect(state).toMatchObject({ status: 3, node_results: [{ failed: 1 }] });
    const rows = await Promise.all(
      ['dispatch_task', 'dispatch_node', 'dispatch_run', 'dispatch_event'].map((table) =>
        platform.query(`select * from ${table}`),
      ),
    );
    expect([...commandLines].some((line) => line.includes('ansible-playbook'))).toBe(true);
    const shown = [[...commandLines].join('\n'), JSON.stringify(state), JSON.stringify(rows)];
    for (const text of [...shown, (await service.readLog()).join('\n')]) expect(text).not.toContain(canary);
  });
});

describe('parallel_run', () => {
  test('makes one task for each node, and one for all of them', async () => {
    const { nodes, ...login } = await startTestNodes(['127.0.1.7', '127.0.1.8']);
    const platform = await startDispatchPlatform(login);
    const service = await platform.startReplica();
    const { body } = await service.post('/api/parallel_run', {
      nodes: nodes.map(({ text }) => text),
      user: null,
      name: 'everywhere',
      tasks: [{ action: { module: 'command', args: 'true' } }],
      params: '{}',
      fork_num: '5',
    });
    const reply = z.object({
      content: z.object({ id: z.int(), children: z.array(z.object({ id: z.int(), node: z.string() })) }),
    });
    const { id, children } = reply.parse(body).content;
    expect(await service.finished(id)).toMatchObject({
      status: 2,
      node_results: nodes.map(({ text }) => ({ node: text, status: 2 })),
    });
    for (const child of children) {
      expect(await service.check(child.id)).toMatchObject({ status: 2, nodes: `["${child.node}"]` });
    }
    const named = await service.post('/api/check', { name: `${nodes[1]?.text}_everywhere` });
    expect(named.body).toMatchObject({ content: { id: children[1]?.id } });
  });
});
