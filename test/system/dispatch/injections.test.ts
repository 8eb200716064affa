// Whatever a caller sends, nothing of it is run on the machine of the service.
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { expect, test, vi } from 'vitest';
import { startDispatchPlatform, startTestNodes } from '../../helpers/dispatch-platform.ts';

// Each starts nodes, a service and Ansible: on a machine with much else to do that takes its time.
vi.setConfig({ testTimeout: 60_000 });

const run = Math.random().toString(36).slice(2);
let serial = 0;
/** Shell text that leaves a file on the machine that runs it. */
function canary(): string {
  serial += 1;
  return `touch ${tmpdir()}/canary-${run}-${serial}`;
}
const ping = [{ action: { module: 'ping', args: '' } }];

/** Each with what the findings name under "injection", and what is next to it. */
const attacks: { what: string; task: () => Record<string, unknown> }[] = [
  { what: 'a range of hosts', task: () => ({ nodes: ['127.0.1.[1:3]'] }) },
  { what: 'a pattern of hosts', task: () => ({ nodes: ['127.0.1.21,localhost'] }) },
  { what: 'a host by name', task: () => ({ nodes: ['localhost'] }) },
  { what: 'variables behind an address', task: () => ({ nodes: ['127.0.1.21 ansible_connection=local'] }) },
  {
    what: 'a connection in params',
    task: () => ({ params: { ansible_connection: 'local' }, content: [{ shell: canary() }] }),
  },
  {
    what: 'a connection in params as text',
    task: () => ({ params: '{"ansible_connection": "local"}', content: [{ shell: canary() }] }),
  },
  {
    what: 'a connection in the variables of a step',
    task: () => ({ content: [{ shell: canary(), vars: { ansible_connection: 'local' } }] }),
  },
  {
    what: 'a connection as a fact',
    task: () => ({ content: [{ set_fact: { ansible_connection: 'local' } }, { shell: canary() }] }),
  },
  {
    what: 'a look-up in a step',
    task: () => ({ content: [{ debug: { msg: `{{ lookup('pipe', '${canary()}') }}` } }] }),
  },
  {
    what: 'a query in a condition',
    task: () => ({ content: [{ ping: null, when: `query('pipe', '${canary()}')` }] }),
  },
  {
    what: 'a look-up put together in a condition',
    task: () => ({ content: [{ ping: null, when: `{{ 'look' ~ 'up("pipe", "${canary()}")' }}` }] }),
  },
  { what: 'a look-up as a loop', task: () => ({ content: [{ ping: null, with_pipe: canary() }] }) },
  {
    what: 'a step that is delegated',
    task: () => ({ content: [{ shell: canary(), delegate_to: 'localhost' }] }),
  },
  { what: 'a local action', task: () => ({ content: [{ local_action: `shell ${canary()}` }] }) },
  { what: 'a local connection', task: () => ({ content: [{ shell: canary(), connection: 'local' }] }) },
  {
    what: 'a play in YAML',
    task: () => ({ content: `- hosts: localhost\n  tasks:\n  - shell: ${canary()}\n` }),
  },
  {
    what: 'a file of this machine',
    task: () => ({ content: [{ copy: { src: '/etc/passwd', dest: '/tmp/taken' } }] }),
  },
  { what: 'a script of this machine', task: () => ({ content: [{ script: '/bin/ls' }] }) },
  { what: 'a role that is a path', task: () => ({ content: ['../../../tmp/role'] }) },
  { what: 'options as a login', task: () => ({ user: '-oProxyCommand=true' }) },
  { what: 'options as forks', task: () => ({ fork_num: '1 -l @/etc/passwd' }) },
  { what: 'a node outside of the networks', task: () => ({ nodes: ['198.51.100.1'] }) },
];

/** Taken, and harmless: text that is never evaluated. */
const inert: { what: string; task: () => Record<string, unknown> }[] = [
  {
    what: 'a look-up as the value of a parameter',
    task: () => ({
      params: { word: `{{ lookup('pipe', '${canary()}') }}` },
      content: [{ copy: { content: '{{ word }}', dest: '/tmp/word' } }],
    }),
  },
  {
    what: 'shell text as a name',
    task: () => ({ name: `x; $(${canary()}) \`${canary()}\``, content: ping }),
  },
];

test('every attack is refused, or does nothing', async () => {
  const { nodes, ...login } = await startTestNodes(['127.0.1.21']);
  const platform = await startDispatchPlatform(login);
  const service = await platform.startReplica();
  const base = { nodes: [nodes[0]?.text], user: null, content: ping, params: {}, fork_num: 1 };
  for (const { what, task } of attacks) {
    const { status, body } = await service.post('/api/run', { ...base, name: what, ...task() });
    expect({ what, status, body }).toEqual({
      what,
      status: 400,
      body: { code: -1, message: expect.stringMatching(/^param error, error: ./) },
    });
  }
  for (const { task } of inert) {
    expect(await service.finished(await service.run({ ...base, ...task() }))).toMatchObject({ status: 2 });
  }
  expect((await readdir(tmpdir())).filter((name) => name.startsWith(`canary-${run}`))).toEqual([]);
  expect((await nodes[0]?.run('cat /tmp/word'))?.stdout).toContain('lookup');
});
