import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeReply } from '../../../../contracts/decode.ts';
import { rpcs } from '../../../../contracts/rpc.ts';
import { identifySelf } from '../../../../infra/local-stack/process-identity.ts';
import { writeStackFile } from '../../../../infra/local-stack/stack-file.ts';
import { runProbeCommand } from '../../../../services/cli/probe/run-probe-command.ts';
import { startScriptedDnsServer } from '../../../helpers/scripted-dns-server.ts';
import { createCommandRunner } from '../run-command-here.ts';
import { type ProbeServers, startProbeServers } from './probe-servers.ts';

const probe = createCommandRunner(runProbeCommand);

let servers: ProbeServers;
let server: string;
let env: { NATS_URL: string };

beforeAll(async () => {
  servers = await startProbeServers();
  server = servers.server;
  env = { NATS_URL: servers.natsUrl };
});
afterAll(() => servers?.stop());

function rowsOf(json: string) {
  return decodeReply(rpcs.oneShootVerbose, Buffer.from(json)).results;
}

/** The address of a port on which nobody listens any more. */
async function closedPort(): Promise<string> {
  const stopped = await startScriptedDnsServer(() => undefined);
  await stopped.stop();
  return `${stopped.address}:${stopped.port}`;
}

describe('a probe that every agent gets answers to', () => {
  test('prints a table and ends with 0', async () => {
    const { exitCode, stdout, stderr } = await probe.run(['www.cli.test', '-s', server], env);
    expect(stderr).toBe('');
    const delay = '\\d+\\.\\d\\d';
    const answers = ' '.repeat(stdout.indexOf('ANSWERS'));
    const linesOf = (start: string) => [
      expect.stringMatching(
        new RegExp(`^${start} {2}${server} {2}NOERROR +${delay} {2}CNAME web\\.cli\\.test\\.$`),
      ),
      `${answers}192.0.2.1`,
      `${answers}192.0.2.2`,
    ];
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^AGENT +PLACE +SERVER +STATUS +DELAY ms {2}ANSWERS$/),
      ...linesOf('agent-bj {2}86/110000/110100 联通'),
      ...linesOf('agent-gd {2}86/440000/440100 电信'),
      '',
      expect.stringMatching(new RegExp(`^2 cells, 2 answered; NOERROR 2; p50 delay ${delay} ms$`)),
      '',
    ]);
    expect(exitCode).toBe(0);
  });

  test('takes every rcode for an answer', async () => {
    const { exitCode, stdout } = await probe.run(['nope.cli.test', '-s', server], env);
    expect(stdout).toContain('NXDOMAIN 2;');
    expect(exitCode).toBe(0);
  });

  test('shows the cells of every name, type and server in their order', async () => {
    const cells = [
      'www.cli.test',
      'nope.cli.test',
      '-t',
      'A',
      '-t',
      'MX',
      '-s',
      server,
      '-s',
      `tcp://${server}`,
    ];
    const { exitCode, stdout } = await probe.run([...cells, '-r', '86,440000'], env);
    const lines = stdout.split('\n').filter((line) => line.startsWith('agent-'));
    expect(lines.map((line) => line.split(/ {2,}/).slice(2, 6).join(' '))).toEqual(
      [server, `tcp://${server}`].flatMap((address) => [
        `${address} www.cli.test A NOERROR`,
        `${address} www.cli.test MX NOERROR`,
        `${address} nope.cli.test A NXDOMAIN`,
        `${address} nope.cli.test MX NXDOMAIN`,
      ]),
    );
    expect(exitCode).toBe(0);
  });

  test('prints the reply as one JSON document with --json, and nothing else', async () => {
    const { exitCode, stdout, stderr } = await probe.run(['www.cli.test', '-s', server, '--json'], env);
    const rows = rowsOf(stdout);
    expect(rows.map((row) => row.agent_id)).toEqual(['agent-bj', 'agent-gd']);
    expect(rows[0]?.answer_section.map((record) => record.result)).toContain('192.0.2.2');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('finds the bus of the local stack that runs', async () => {
    const dataFolder = await mkdtemp(join(tmpdir(), 'probe-task-cli-'));
    const { natsUrl, databaseUrl } = servers;
    const { pid, startedAt } = await identifySelf();
    await writeStackFile(dataFolder, {
      pid,
      startedAt,
      natsUrl,
      databaseUrl,
      exampleZone: server,
      services: [],
    });
    const { exitCode } = await probe.run(['www.cli.test', '-s', server], { DATA_DIR: dataFolder });
    await rm(dataFolder, { recursive: true });
    expect(exitCode).toBe(0);
  });
});

describe('a cell without an answer', () => {
  test('is in the table, and the exit code is 1', async () => {
    const targets = ['-s', server, '-s', await closedPort(), '-r', '86,440000'];
    const { exitCode, stdout, stderr } = await probe.run(['www.cli.test', ...targets], env);
    expect(stdout).toMatch(/^agent-gd .* CONN_REFUSED +- {2}-$/m);
    expect(stdout).toContain('2 cells, 1 answered; NOERROR 1, CONN_REFUSED 1;');
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
  });

  test('is a row of the reply with --json, and the exit code is 1', async () => {
    const args = ['silent.cli.test', '-s', server, '--timeout', '1', '--json'];
    const { exitCode, stdout } = await probe.run(args, env);
    expect(rowsOf(stdout).map((row) => row.dns_response_status)).toEqual(['TIMEOUT', 'TIMEOUT']);
    expect(exitCode).toBe(1);
  });

  test('is one of an agent that hangs', async () => {
    servers.agentInGuangdong.signal('SIGSTOP');
    try {
      const { exitCode, stdout } = await probe.run(['www.cli.test', '-s', server, '--timeout', '1'], env);
      expect(stdout).toMatch(/^agent-gd .* AGENT_NO_REPLY +- {2}-$/m);
      expect(stdout).toMatch(/^agent-bj .* NOERROR /m);
      expect(exitCode).toBe(1);
    } finally {
      servers.agentInGuangdong.signal('SIGCONT');
    }
  });
});

describe('a call that the gateway refuses', () => {
  const nowhere = ['a.test', '-r', '1,2,3'];

  test('is told by code and message, exit code 3', async () => {
    const { exitCode, stdout, stderr } = await probe.run(nowhere, env);
    expect(stderr).toMatch(/^probe: NO_AGENTS: none of 2 live agents matches .*\n$/);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  });

  test('is its error envelope with --json', async () => {
    const { exitCode, stdout, stderr } = await probe.run([...nowhere, '--json'], env);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'NO_AGENTS', status: 503, details: { live: 2 } },
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: '' });
  });
});

describe('on a terminal', () => {
  test('puts answers below their rows where it has no room beside them', async () => {
    const { stdout } = await probe.runForTerminal(['www.cli.test', '-s', server], env, 70);
    expect(stdout).toContain('\n    CNAME web.cli.test.\n    192.0.2.1\n');
  });

  test('indents JSON', async () => {
    const { stdout } = await probe.runForTerminal(['www.cli.test', '-s', server, '--json'], env, 70);
    expect(stdout).toMatch(/^\{\n {2}"results": \[\n {4}\{\n/);
    expect(rowsOf(stdout)).toHaveLength(2);
  });
});
