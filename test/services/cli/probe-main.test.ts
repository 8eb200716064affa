import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ProbeServers, startProbeServers } from './probe/probe-servers.ts';
import { createCliRunner } from './run-cli.ts';

const probe = createCliRunner('probe');

let servers: ProbeServers;
let server: string;
let env: { NATS_URL: string };

beforeAll(async () => {
  servers = await startProbeServers();
  server = servers.server;
  env = { NATS_URL: servers.natsUrl };
});
afterAll(() => servers?.stop());

/** Resolves once the DNS server has been asked for the name. */
async function queryFor(name: string): Promise<void> {
  const { dns } = servers;
  while (!dns.queries.some((query) => query.name === name)) await dns.received(dns.queries.length + 1);
}

describe('the process', () => {
  test('prints a table without colours and ends with 0', async () => {
    const { exitCode, stdout, stderr } = await probe.run(['www.cli.test', '-s', server], env);
    expect(stdout).toMatch(/^AGENT .*\nagent-bj .* NOERROR .*\n/);
    expect(stdout).toMatch(/\n2 cells, 2 answered; NOERROR 2; p50 delay \d+\.\d\d ms\n$/);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('ends with 1 where a cell has no answer', async () => {
    const args = ['silent.cli.test', '-s', server, '--timeout', '1', '--json'];
    const { exitCode, stdout, stderr } = await probe.run(args, env);
    expect(JSON.parse(stdout)).toMatchObject({ results: [{}, {}] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
  });

  test('tells wrong usage on standard error and ends with 2', async () => {
    const { exitCode, stdout, stderr } = await probe.run([], env);
    expect(stderr).toBe('probe: NAME is missing\ntry: npm run probe -- --help\n');
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  });

  test('tells of a missing NATS server on standard error and ends with 3', async () => {
    const { exitCode, stdout, stderr } = await probe.run(['a.test'], { NATS_URL: 'nats://127.0.0.1:1' });
    expect(stderr).toMatch(/^probe: UNAVAILABLE: no NATS server answers at .*\n$/);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  });

  test('writes to a pipe that nobody reads without a word', async () => {
    const { stdout, stderr } = await probe.runWithoutReader(['www.cli.test', '-s', server], env);
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
  });
});

describe('a signal while it waits', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends it with %i, without a word', async (signal, exitCode) => {
    const name = `silent-${signal.toLowerCase()}.cli.test`;
    const child = probe.start([name, '-s', server], env);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const closed = once(child, 'close');
    await queryFor(name);
    child.kill(signal);
    expect(await closed).toEqual([exitCode, null]);
    expect(output).toBe('');
  });
});

describe('on a terminal', () => {
  const clearLine = '\r\u001b[K';

  test('shows the time that passes, takes it away, and prints a table in colours', async () => {
    const { exitCode, stdout } = await probe.runOnTerminal(
      ['silent.cli.test', '-s', server, '--timeout', '1'],
      env,
    );
    const parts = stdout.split(clearLine);
    const table = parts.pop();
    expect(parts.pop()).toMatch(/^probing … [01]\.\d s of 1 s$/);
    expect(parts.slice(0, 2)).toEqual(['', 'probing … 0.0 s of 1 s']);
    expect(parts.length).toBeGreaterThan(3);
    expect(table).toMatch(/^\S+AGENT /);
    expect(table).toContain('\u001b[31mTIMEOUT');
    expect(exitCode).toBe(1);
  });

  test('fits the table into its columns', async () => {
    const { stdout } = await probe.runOnTerminal(['www.cli.test', '-s', server], env, 70);
    expect(stdout).toContain('\r\n    CNAME web.cli.test.\r\n    192.0.2.1\r\n');
  });

  test('has no colours with NO_COLOR', async () => {
    const { stdout } = await probe.runOnTerminal(['www.cli.test', '-s', server], { ...env, NO_COLOR: '1' });
    expect(stdout.replaceAll(clearLine, '')).not.toContain('\u001b');
    expect(stdout).toContain('NOERROR');
  });

  test('is left without progress and colours where TERM is dumb', async () => {
    const { stdout } = await probe.runOnTerminal(['www.cli.test', '-s', server], { ...env, TERM: 'dumb' });
    expect(stdout).toMatch(/^AGENT /);
    expect(stdout).not.toContain('\u001b');
  });

  test('indents JSON', async () => {
    const { stdout } = await probe.runOnTerminal(['www.cli.test', '-s', server, '--json'], env);
    expect(stdout.split(clearLine).at(-1)).toMatch(/^\{\r\n {2}"results": \[\r\n {4}\{\r\n/);
  });
});
