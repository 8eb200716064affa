// What is left of a run that is stopped, or whose service dies: nothing, here or on its nodes.
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test, vi } from 'vitest';
import { systemErrorCode } from '../../../infra/error-text.ts';
import { startDispatchPlatform, startTestNodes } from '../../helpers/dispatch-platform.ts';
import type { SshNode } from '../../helpers/ssh-nodes.ts';
import { until } from '../../helpers/test-client.ts';

// Each starts nodes, a service and Ansible: on a machine with much else to do that takes its time.
vi.setConfig({ testTimeout: 60_000 });

/** Outlives a hangup, and whoever started it. */
const stubborn = [
  { name: 'leave one behind', shell: 'nohup setsid sleep 3600 >/dev/null 2>&1 </dev/null & true' },
  { name: 'sleep', shell: "trap '' HUP TERM INT; sleep 3601" },
];

const sleepers = async (node: SshNode) =>
  (await node.processes()).filter(({ cmd }) => cmd.includes('sleep 360'));
const areAsleep = (nodes: SshNode[]) =>
  until(async () => {
    const counts = await Promise.all(nodes.map(async (node) => (await sleepers(node)).length));
    return counts.every((count) => count >= 2);
  });

/** Processes of this machine, outside of the nodes, that belong to a run of this service: its run folder is in their arguments. */
async function listLocal(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch((error: unknown) => {
      if (['ENOENT', 'ESRCH'].includes(systemErrorCode(error) ?? '')) return '';
      throw error;
    });
    if (command.includes(`${folder}/runs/`)) found.push(command.replaceAll('\0', ' '));
  }
  return found;
}

describe('a stop', () => {
  test('leaves no process of a run that ignores it, here or on its nodes', async () => {
    const { nodes, ...login } = await startTestNodes(['127.0.1.11', '127.0.1.12']);
    const platform = await startDispatchPlatform(login);
    const service = await platform.startReplica();
    const id = await service.run({ nodes: nodes.map(({ text }) => text), content: stubborn });
    await areAsleep(nodes);
    expect(await listLocal(platform.dispatchFolder)).not.toEqual([]);
    const startedAt = performance.now();
    expect(await service.post('/api/stop', { id })).toEqual({ status: 200, body: { code: 0, content: {} } });
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    for (const node of nodes) expect(await sleepers(node)).toEqual([]);
    expect(await listLocal(platform.dispatchFolder)).toEqual([]);
    expect(await service.check(id)).toMatchObject({ status: 4, err: null });

    // A terminal status never changes.
    expect(await service.post('/api/stop', { id })).toEqual({ status: 200, body: { code: 0, content: {} } });
    expect(await service.check(id)).toMatchObject({ status: 4 });
  });

  test('of what another replica plays works, too', async () => {
    const { nodes, ...login } = await startTestNodes(['127.0.1.13']);
    const platform = await startDispatchPlatform(login);
    const playing = await platform.startReplica();
    const id = await playing.run({ nodes: [nodes[0]?.text], content: stubborn });
    await areAsleep(nodes);
    const other = await platform.startReplica();
    expect(await other.post('/api/stop', { id })).toMatchObject({ status: 200 });
    for (const node of nodes) expect(await sleepers(node)).toEqual([]);
    expect(await playing.check(id)).toMatchObject({ status: 4 });
  });
});

describe('a service that is killed in the middle of a run', () => {
  test('leaves nothing running here, and the next one ends the run on its nodes', async () => {
    const { nodes, ...login } = await startTestNodes(['127.0.1.14']);
    const platform = await startDispatchPlatform(login);
    const killed = await platform.startReplica();
    const id = await killed.run({ nodes: [nodes[0]?.text], content: stubborn });
    await areAsleep(nodes);
    await killed.kill();
    await until(async () => (await listLocal(platform.dispatchFolder)).length === 0);
    const next = await platform.startReplica();
    expect(await next.finished(id)).toMatchObject({
      status: 3,
      err: 'interrupted',
      node_results: [{ status: 3, ok: 1 }],
    });
    for (const node of nodes) expect(await sleepers(node)).toEqual([]);
  });
});

describe('a service that is stopped in the middle of a run', () => {
  test('ends the run, here and on its nodes, before it is gone', async () => {
    const { nodes, ...login } = await startTestNodes(['127.0.1.15']);
    const platform = await startDispatchPlatform(login);
    const service = await platform.startReplica();
    const id = await service.run({ nodes: [nodes[0]?.text], content: stubborn });
    await areAsleep(nodes);
    await service.stop();
    for (const node of nodes) expect(await sleepers(node)).toEqual([]);
    const rows = await platform.query('select status, err from dispatch_task where id = $1', [id]);
    expect(rows).toEqual([{ status: 3, err: 'interrupted' }]);
  });
});
