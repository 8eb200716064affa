// `npm run agents` against a real dispatch service, which rolls out to real SSH servers.
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Msg } from 'nats';
import { expect, inject, onTestFinished, test } from 'vitest';
import { type Heartbeat, heartbeatSchema } from '../../../contracts/agent.ts';
import { decodeJson } from '../../../contracts/decode.ts';
import { internalSubjects } from '../../../contracts/subjects.ts';
import { runAgentsCommand } from '../../../services/cli/agents/run-agents-command.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { startDispatchPlatform, startTestNodes } from '../../helpers/dispatch-platform.ts';
import type { SshNode } from '../../helpers/ssh-nodes.ts';
import { connectTestClient } from '../../helpers/test-client.ts';
import { createCommandRunner } from '../../services/cli/run-command-here.ts';
import { provideRelease } from '../../services/dispatch/playbooks/roll-out.ts';

const agents = createCommandRunner(runAgentsCommand);
const password = 'not-to-be-seen-anywhere';

/** The archives of this run of the tests, so that the service need not compress them again. */
async function copyRelease(dispatchFolder: string): Promise<void> {
  const folder = join(dispatchFolder, 'releases');
  await mkdir(folder, { recursive: true });
  for (const file of Object.values(await provideRelease()))
    await copyFile(file, join(folder, basename(file)));
}

/** The first one of that agent. */
async function findHeartbeat(heartbeats: AsyncIterable<Msg>, agentId: string): Promise<Heartbeat> {
  for await (const { data } of heartbeats) {
    const heartbeat = heartbeatSchema.parse(decodeJson(data));
    if (heartbeat.agent_id === agentId) return heartbeat;
  }
  throw new Error('the connection has ended');
}

async function writePlan(up: SshNode, down: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-plan-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'regions.yaml');
  await writeFile(
    file,
    `regions:
  - region: 86,440000,440400,电信
    groups: [7]
    nodes: [{ node: "${up.text}", id: planned, metrics_port: 0 }]
  - region: [86, 110000, 110100, 联通]
    nodes: ["${down}"]
`,
  );
  return file;
}

test('agents of a plan are deployed and removed, and a node that is down fails alone', async () => {
  const {
    nodes: [up, gone],
    ...login
  } = await startTestNodes(['127.0.33.1', '127.0.33.2']);
  if (up === undefined || gone === undefined) throw new Error('two nodes were asked for');
  await gone.stop();
  const platform = await startDispatchPlatform({ ...login });
  await copyRelease(platform.dispatchFolder);
  const service = await platform.startReplica({ DISPATCH_API_KEYS: 'a-key-of-the-service' });
  const client = keepUntilTestEnd(await connectTestClient(inject('natsUrl')));
  const heartbeats = client.raw.subscribe(internalSubjects.heartbeat);
  const plan = await writePlan(up, gone.text);
  const env = {
    DISPATCH_URL: service.url,
    DISPATCH_API_KEY: 'a-key-of-the-service',
    AGENT_NATS_URL: inject('natsUrl'),
    AGENT_NATS_PASSWORD: password,
  };

  const deployed = await agents.run(['deploy', '--plan', plan, '--json'], env);
  expect(deployed.exitCode, deployed.stdout + deployed.stderr).toBe(1);
  expect(JSON.parse(deployed.stdout)).toMatchObject({
    nodes: [
      { node: up.text, result: 'succeeded', agent: { changed: true, state: 'running', agent: 'planned' } },
      {
        node: gone.text,
        result: 'failed',
        agent: null,
        reason: expect.stringContaining('Connection refused'),
      },
    ],
  });
  await expect(findHeartbeat(heartbeats, 'planned')).resolves.toMatchObject({ city: '440400', groups: [7] });

  const removed = await agents.run(['remove', '--nodes', up.text], env);
  expect(removed.stdout).toMatch(/^NODE .*\n\S+ +succeeded +yes +absent +- +- +-\n\n1 node, 0 failed\n$/);
  expect(removed.stderr).toMatch(/^agents: run \d+ goes on after Ctrl-C: .*\n\S+ done\n$/);
  expect(removed.exitCode).toBe(0);
  expect(await up.processes()).toEqual([]);
  expect(await readdir(join(up.folder, 'opt'))).toEqual([]);

  const rows = await platform.query('select to_jsonb(event) from dispatch_event event');
  expect(rows.length).toBeGreaterThan(5);
  const log = (await service.readLog()).join('\n');
  expect(JSON.stringify(rows) + log + JSON.stringify([deployed, removed])).not.toContain(password);
}, 90_000);

test('a key that is refused, a run that is not there and a service that is away end with 3', async () => {
  const platform = await startDispatchPlatform({ keyFile: '', knownHostsFile: '', user: 'root' });
  const service = await platform.startReplica({ DISPATCH_API_KEYS: 'a-key-of-the-service' });
  const env = { DISPATCH_URL: service.url };
  const status = ['status', '--nodes', '127.0.0.1'];
  const refused = await agents.run(status, env);
  expect(refused).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('agents: UNAUTHORIZED: ') });
  const missing = await agents.run(['follow', '4711'], { ...env, DISPATCH_API_KEY: 'a-key-of-the-service' });
  expect(missing).toMatchObject({ exitCode: 3, stderr: 'agents: NOT_FOUND: task not found...\n' });
  await service.stop();
  const away = await agents.run([...status, '--json'], env);
  expect(away.exitCode).toBe(3);
  expect(JSON.parse(away.stdout)).toMatchObject({ error: { code: 'UNAVAILABLE' } });
});
