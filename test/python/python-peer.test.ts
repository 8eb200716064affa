// Python on the bus, in both directions: consumers of the gateway, and a peer that serves Node callers.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorReplySchema } from '../../contracts/errors.ts';
import { headers, subjects } from '../../contracts/subjects.ts';
import { runProgram } from '../../infra/local-stack/run-program.ts';
import { startNatsServer, type TestNatsServer } from '../helpers/nats.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/postgres.ts';
import { spawnProgram, spawnService, type TestProgramRun, type TestService } from '../helpers/processes.ts';
import { providePython } from '../helpers/programs.ts';
import { replyTo, type ScriptedDnsServer, startScriptedDnsServer } from '../helpers/scripted-dns-server.ts';
import { connectTestClient, type TestClient, until } from '../helpers/test-client.ts';

const packageFolder = join(import.meta.dirname, '../../contracts/python');
const testFolder = join(packageFolder, 'tests');
const timeoutMs = 60_000;
let python = '';

beforeAll(async () => {
  python = await providePython();
});

describe('the Python package by itself', () => {
  test('passes the shared vectors', async () => {
    const report = await runUnittest('test_vectors', {});
    expect(report).toMatch(/^Ran [1-9]\d* tests[\s\S]*^OK$/m);
  });

  test('says at once and why that no server takes the connection', async () => {
    const report = await runUnittest('test_connecting', {});
    expect(report).toMatch(/^Ran [1-9]\d* tests[\s\S]*^OK$/m);
  });
});

describe('Python callers of a live gateway', () => {
  const running: { stop(): Promise<void> }[] = [];
  let nats: TestNatsServer;
  let database: TestDatabase;
  let dns: ScriptedDnsServer;

  beforeAll(async () => {
    nats = await startNatsServer();
    database = await createTestDatabase();
    dns = await startScriptedDnsServer((query) => {
      const [question] = query.packet.questions ?? [];
      const answers =
        question?.type === 'A' ? [{ type: 'A' as const, name: query.name, ttl: 60, data: '192.0.2.80' }] : [];
      query.send(replyTo(query, { answers }));
    });
    running.push(await startAgent(nats.url, `${dns.address}:${dns.port}`));
    running.push(
      await spawnService('gateway', { NATS_URL: nats.url, DATABASE_URL: database.url, LOG_LEVEL: 'warn' }),
    );
    const client = await connectTestClient(nats.url);
    await until(async () => (await client.call('agentGet', {})).length === 1);
    await client.stop();
  });

  afterAll(async () => {
    for (const service of running.toReversed()) await service.stop();
    await dns.stop();
    await database.drop();
    await nats.stop();
  });

  test(
    'get the expected codes for every request vector, and their tasks as existing consumers ask',
    async () => {
      const report = await runUnittest('live_gateway', {
        PROBE_TEST_NATS_URL: nats.url,
        PROBE_TEST_DNS_SERVER: `${dns.address}:${dns.port}`,
      });
      expect(report).toMatch(/^Ran [1-9]\d* tests[\s\S]*^OK$/m);
      expect(report).toMatch(/^[1-9]\d\d request vectors answered by the gateway$/m);
    },
    timeoutMs,
  );
});

describe('a Python peer that serves the probe subjects', () => {
  let nats: TestNatsServer;
  beforeAll(async () => {
    nats = await startNatsServer();
  });
  afterAll(() => nats.stop());

  test(
    'answers Python callers, whatever they send',
    async () => {
      const report = await runUnittest('live_serving', { PROBE_TEST_NATS_URL: nats.url });
      expect(report).toMatch(/^Ran [1-9]\d* tests[\s\S]*^OK$/m);
      expect(report).toMatch(/^[1-9]\d\d request vectors answered by a Python peer$/m);
    },
    timeoutMs,
  );

  describe('called from Node', () => {
    let peer: TestProgramRun;
    let client: TestClient;

    beforeAll(async () => {
      peer = spawnProgram(python, ['peer.py'], { cwd: testFolder, env: pythonEnvironment(nats.url) });
      await peer.waitForLine(/^serving$/);
      client = await connectTestClient(nats.url);
    });
    afterAll(async () => {
      peer.signal('SIGTERM');
      await peer.exited;
      await client.stop();
    });

    test('answers one_shoot', async () => {
      const reply = await client.call('oneShoot', {
        target: { type: 'domain', rtype: 'type65', data: '中文.example' },
        probe_data: { dns_servers: ['192.0.2.53'] },
      });
      expect(reply).toEqual({ results: ['HTTPS 中文.example', '192.0.2.53'] });
    });

    test('answers one_shoot.verbose', async () => {
      const reply = await client.call('oneShootVerbose', {
        target: [
          { type: 'domain', data: 'a.example' },
          { type: 'domain', data: 'b.example' },
        ],
        regions: [[86, 440000]],
      });
      expect(reply.results.map(({ domain, device }) => [domain, device.province, device.city])).toEqual([
        ['a.example', '440000', '*'],
        ['b.example', '440000', '*'],
      ]);
    });

    test('replies with the code that its handler raises, and with INTERNAL for a fault', async () => {
      await expect(probe('none.example')).rejects.toMatchObject({ code: 'NO_AGENTS' });
      await expect(probe('fault.example')).rejects.toMatchObject({ code: 'INTERNAL' });
      await expect(probe('fault.example')).rejects.not.toThrow(/inner matter/);
    });

    test('lists every fault of a request', async () => {
      const faulty = client.call('oneShoot', {
        target: { type: 'domain', rtype: 'NOPE', data: 'a..b' },
        resp_timeout: 3,
      });
      await expect(faulty).rejects.toMatchObject({ code: 'INVALID_REQUEST', details: { total: 2 } });
    });

    test.each([
      ['no bytes', '', 'INVALID_JSON'],
      ['text', 'www.example.com', 'INVALID_JSON'],
      ['octets that are not UTF-8', Uint8Array.of(0xff, 0xfe), 'INVALID_JSON'],
      ['an array', '[]', 'INVALID_REQUEST'],
      ['a megabyte', JSON.stringify('x'.repeat(1_000_000)), 'INVALID_REQUEST'],
    ])('refuses %s with a coded error and lives on', async (_, body, code) => {
      const reply = await client.request(subjects.oneShoot, body);
      const { error } = errorReplySchema.parse(reply.json());
      expect(error).toMatchObject({ code, status: 400, retryable: false });
      expect(reply.headers?.get(headers.errorCode)).toBe('400');
      expect(reply.headers?.get(headers.errorText)).toContain(code);
      expect(reply.headers?.get('Status')).toBe('');
      await expect(probe('a.example')).resolves.toEqual({ results: ['A a.example'] });
    });

    test('answers a hundred callers at once, refusing those beyond its bound', async () => {
      const calls = await Promise.allSettled(Array.from({ length: 100 }, (_, n) => probe(`n${n}.example`)));
      const refused = calls.flatMap((call) => (call.status === 'rejected' ? [call.reason] : []));
      for (const reason of refused) expect(reason).toMatchObject({ code: 'OVERLOADED' });
      expect(calls.length - refused.length).toBeGreaterThanOrEqual(64);
    });

    function probe(name: string) {
      return client.call('oneShoot', { target: { type: 'domain', data: name } });
    }
  });

  test('ends on SIGTERM with exit code 0', async () => {
    const peer = spawnProgram(python, ['peer.py'], { cwd: testFolder, env: pythonEnvironment(nats.url) });
    await peer.waitForLine(/^serving$/);
    peer.signal('SIGTERM');
    expect(await peer.exited, peer.output()).toEqual({ exitCode: 0, signal: null });
  });
});

function startAgent(natsUrl: string, resolver: string): Promise<TestService> {
  return spawnService('agent', {
    NATS_URL: natsUrl,
    LOG_LEVEL: 'warn',
    AGENT_ID: 'zhuhai-1',
    AGENT_COUNTRY: '86',
    AGENT_PROVINCE: '440000',
    AGENT_CITY: '440400',
    AGENT_CARRIER: '电信',
    AGENT_GROUPS: '1',
    AGENT_RESOLVERS: resolver,
  });
}

/** Runs one test module; its report, whatever came of it. */
async function runUnittest(module: string, settings: Record<string, string>): Promise<string> {
  const { stdout, stderr } = await runProgram(python, ['-m', 'unittest', module], {
    cwd: testFolder,
    env: { ...pythonEnvironment(), ...settings },
    timeoutMs,
  });
  return `${stdout}\n${stderr}`;
}

function pythonEnvironment(natsUrl?: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    PYTHONPATH: join(packageFolder, 'src'),
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUTF8: '1',
    ...(natsUrl === undefined ? {} : { PROBE_TEST_NATS_URL: natsUrl }),
  };
}
