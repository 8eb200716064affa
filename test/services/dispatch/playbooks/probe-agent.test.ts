import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AgentInfo } from '../../../../contracts/agent.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { startNatsServer, type TestNatsServer } from '../../../helpers/nats.ts';
import { createTestDatabase, type TestDatabase } from '../../../helpers/postgres.ts';
import { spawnService, type TestService } from '../../../helpers/processes.ts';
import { replyTo, startScriptedDnsServer } from '../../../helpers/scripted-dns-server.ts';
import type { SshNode } from '../../../helpers/ssh-nodes.ts';
import { connectTestClient, type TestClient, until } from '../../../helpers/test-client.ts';
import { type RollOut, startRollOut } from './roll-out.ts';

// The tests of this file go on with what the ones before them left on the nodes.
const testTimeoutMs = 60_000;
const password = '{{ 6 * 7 }} "secret" $HOME';
const places = [
  { country: '86', province: '440000', city: '440400', carrier: '电信' },
  { country: '86', province: '110000', city: '110100', carrier: '联通' },
] as const;
const directory = '/opt/probe-agent';

let nats: TestNatsServer;
let database: TestDatabase;
let gateway: TestService;
let client: TestClient;
let rollOut: RollOut;
let settings: Record<string, unknown>;

beforeAll(async () => {
  const agentLogin = `{ user: agent, password: ${JSON.stringify(password)} }`;
  const users = `authorization { users: [{ user: others, password: others }, ${agentLogin}] }\nno_auth_user: others`;
  [nats, database, rollOut] = await Promise.all([
    startNatsServer({ extraConfig: users }),
    createTestDatabase(),
    startRollOut(['127.0.31.1', '127.0.31.2']),
  ]);
  gateway = await spawnService('gateway', { NATS_URL: nats.url, DATABASE_URL: database.url });
  client = await connectTestClient(nats.url);
  settings = {
    probe_agent_nats_url: nats.url,
    probe_agent_nats_user: 'agent',
    probe_agent_nats_password: password,
    probe_agent_database_url: database.url,
    probe_agent_groups: [7],
    // The nodes share the addresses of this machine.
    probe_agent_metrics_port: 0,
    probe_agent_nodes: Object.fromEntries(
      rollOut.nodes.map(({ text }, index) => [text, { id: `node-${index}`, ...places[index] }]),
    ),
  };
}, testTimeoutMs);
afterAll(async () => {
  await client?.stop();
  await gateway?.stop();
  await rollOut?.stop();
  await database?.drop();
  await nats?.stop();
});

/** Of the agents on the node: their ids as seen from outside. */
async function findAgents(node: SshNode): Promise<number[]> {
  const processes = await node.processes();
  return processes.filter(({ cmd }) => cmd.includes('start-agent-main.mts')).map(({ pid }) => pid);
}

function listAgents(): Promise<AgentInfo[]> {
  return client.call('agentGet', {});
}

function node(index: number): SshNode {
  const found = rollOut.nodes[index];
  if (found === undefined) throw new Error(`there is no node ${index}`);
  return found;
}

function readSettings(index: number): Promise<string> {
  return readFile(join(node(index).folder, directory, 'settings/environment.json'), 'utf8');
}

test(
  'a deployed agent announces itself from its region and answers a probe',
  async () => {
    const { changed, exitCode, stdout } = await rollOut.play(settings);
    expect(exitCode, stdout).toBe(0);
    expect(changed).toEqual([4, 4]);
    await until(async () => (await listAgents()).length === 2);
    const agents = await listAgents();
    expect(agents).toMatchObject(
      places.map((place, index) => ({ agent_id: `node-${index}`, groups: [7], ...place })),
    );

    const dns = keepUntilTestEnd(
      await startScriptedDnsServer((query) =>
        query.send(
          replyTo(query, { answers: [{ type: 'A', name: query.name, ttl: 60, data: '192.0.2.7' }] }),
        ),
      ),
    );
    const { results } = await client.call('oneShootVerbose', {
      target: [{ type: 'domain', rtype: 'A', data: 'x.example' }],
      probe_data: { dns_servers: [`${dns.address}:${dns.port}`] },
    });
    const statuses = results.map((row) => [row.agent_id, row.dns_response_status]);
    expect(statuses).toEqual([
      ['node-0', 'NOERROR'],
      ['node-1', 'NOERROR'],
    ]);
  },
  testTimeoutMs,
);

test('its login stands in no command line, no environment, no output and no file that others can read', async () => {
  const processes = (await Promise.all(rollOut.nodes.map((each) => each.processes()))).flat();
  expect(processes.length).toBeGreaterThan(3);
  expect(JSON.stringify(processes)).not.toContain('6 * 7');
  expect(JSON.parse(await readSettings(0))).toMatchObject({
    NATS_PASSWORD: password,
    DATABASE_URL: database.url,
  });
  const files = `find ${directory} /tmp /var /root -type f -perm /044 -exec grep -lF '6 * 7' {} +; true`;
  expect((await node(0).run(files)).stdout).toBe('');
});

test('nothing of the run that started it stays with it', async () => {
  const processes = await node(0).processes();
  expect(processes.filter(({ env }) => 'SSH_CONNECTION' in env)).toEqual([]);
});

test(
  'deploying the same again changes nothing',
  async () => {
    const before = await Promise.all(rollOut.nodes.map(findAgents));
    const { changed, exitCode, stdout } = await rollOut.play(settings);
    expect({ exitCode, changed }, stdout).toEqual({ exitCode: 0, changed: [0, 0] });
    expect(await Promise.all(rollOut.nodes.map(findAgents))).toEqual(before);
  },
  testTimeoutMs,
);

test(
  'an upgrade leaves one agent on each node, of the new release and with the settings it had',
  async () => {
    const manifest = JSON.stringify({ name: 'probe-task', version: '9.9.9', type: 'module' });
    const upgrade = await rollOut.alterRelease('probe-agent-9.9.9-upgrade', { 'package.json': manifest });
    const given = await readSettings(0);
    const { exitCode, stdout } = await rollOut.play({
      probe_agent_state: 'upgraded',
      probe_agent_release: upgrade,
    });
    expect(exitCode, stdout).toBe(0);
    expect((await Promise.all(rollOut.nodes.map(findAgents))).map((found) => found.length)).toEqual([1, 1]);
    expect(await readSettings(0)).toBe(given);
    await until(async () => (await listAgents()).every(({ version }) => version === '9.9.9'));
    expect((await listAgents()).map((agent) => agent.agent_id)).toEqual(['node-0', 'node-1']);
    const kept = await readdir(join(node(0).folder, directory, 'releases'));
    expect(kept.sort()).toEqual(
      [basename(rollOut.release.release, '.tar.gz'), 'probe-agent-9.9.9-upgrade'].sort(),
    );
  },
  testTimeoutMs,
);

test(
  'a removed agent leaves no process and no file',
  async () => {
    const { changed, exitCode, stdout } = await rollOut.play({ probe_agent_state: 'removed' });
    expect({ exitCode, changed }, stdout).toEqual({ exitCode: 0, changed: [1, 1] });
    for (const each of rollOut.nodes) {
      expect(await each.processes()).toEqual([]);
      expect(await readdir(join(each.folder, 'opt'))).toEqual([]);
    }
  },
  testTimeoutMs,
);
