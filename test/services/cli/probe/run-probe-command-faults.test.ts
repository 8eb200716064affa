import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { describe, expect, test } from 'vitest';
import { formatErrorReply, ProbeTaskError } from '../../../../contracts/errors.ts';
import { rpcs } from '../../../../contracts/rpc.ts';
import { createBus } from '../../../../infra/bus/nats-bus.ts';
import type { RunResult } from '../../../../infra/local-stack/run-program.ts';
import { createLogger } from '../../../../infra/logger.ts';
import { runProbeCommand } from '../../../../services/cli/probe/run-probe-command.ts';
import { startNatsServer } from '../../../helpers/nats.ts';
import { createCommandRunner } from '../run-command-here.ts';

const probe = createCommandRunner(runProbeCommand);

/** Nothing listens there: a command that got as far as connecting ends with 3. */
const nobody = { NATS_URL: 'nats://127.0.0.1:1' };

/** Runs the command against a gateway that answers every call with this body. */
async function runProbeAgainst(reply: string, args: string[]): Promise<RunResult> {
  const nats = await startNatsServer();
  const bus = createBus({
    config: { servers: [nats.url] },
    name: 'test',
    logger: createLogger('test', 'silent'),
  });
  await bus.start();
  bus.subscribe(rpcs.oneShootVerbose.subject, ({ replyTo = '' }) =>
    bus.publish(replyTo, { body: Buffer.from(reply) }),
  );
  await bus.flush();
  try {
    return await probe.run(args, { NATS_URL: nats.url });
  } finally {
    await bus.stop();
    await nats.stop();
  }
}

async function listenOnAnyPort(listener: Server): Promise<string> {
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('a listening server has no port');
  return `127.0.0.1:${address.port}`;
}

describe('wrong usage', () => {
  test('is told one fault per line before anything is sent, exit code 2', async () => {
    const args = ['a..b', '-t', 'FOO', '-s', 'x', '--timeout', '99'];
    const { exitCode, stdout, stderr } = await probe.run(args, nobody);
    expect(stderr.split('\n')).toEqual([
      'probe: -s "x": server is not an IP address with an optional port and scheme',
      'probe: -t "FOO": unknown record type',
      'probe: NAME "a..b": name has an empty label',
      expect.stringMatching(/^probe: --timeout "99": .*60/),
      'try: npm run probe -- --help',
      '',
    ]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  });

  test.each([
    [[], 'probe: NAME is missing'],
    [['a.test', '--bogus'], "probe: Unknown option '--bogus'"],
    // What npm leaves of `-s 127.0.0.1:6553` without -- before it.
    [
      ['a.test', '127.0.0.1:6553'],
      'probe: NAME "127.0.0.1:6553": is a server\'s address; did you forget -- after npm run probe?',
    ],
  ])('such as %j has a line and a hint', async (args, line) => {
    const { exitCode, stderr } = await probe.run(args, nobody);
    expect(stderr.split('\n')).toEqual([line, 'try: npm run probe -- --help', '']);
    expect(exitCode).toBe(2);
  });

  test('is an error envelope with --json', async () => {
    const { exitCode, stdout, stderr } = await probe.run(['a..b', '--json', '-g', 'x'], nobody);
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        code: 'INVALID_REQUEST',
        details: { total: 2, faults: [expect.stringMatching(/^-g /), expect.stringMatching(/^NAME /)] },
      },
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: '' });
  });

  test('of the environment is told likewise', async () => {
    const { exitCode, stderr } = await probe.run(['a.test'], { NATS_URL: 'http://127.0.0.1' });
    expect(stderr).toMatch(/^probe: NATS_URL: expected nats:.*\ntry: .*\n$/);
    expect(exitCode).toBe(2);
  });
});

describe('--help', () => {
  test('prints usage, options, exit codes, environment and examples within 100 columns', async () => {
    const { exitCode, stdout, stderr } = await probe.run(['--help'], nobody);
    expect(stdout).toMatch(/^Usage:\n {2}npm run probe -- NAME/m);
    for (const part of ['--timeout S', 'Exit codes:\n  0 ', 'NATS_URL', 'DATA_DIR', 'Examples:\n']) {
      expect(stdout).toContain(part);
    }
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });
});

describe('a call that reaches no service', () => {
  test('says in one line that no NATS server is there and how to get one, without the login', async () => {
    const { exitCode, stdout, stderr } = await probe.run(['a.test'], {
      NATS_URL: 'nats://me:secret@127.0.0.1:1',
    });
    expect(stderr).toMatch(
      /^probe: UNAVAILABLE: no NATS server answers at nats:\/\/127\.0\.0\.1:1 \(npm start .*\)\n$/,
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  });

  test('is an error envelope with --json', async () => {
    const { exitCode, stdout, stderr } = await probe.run(['a.test', '--json'], nobody);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'UNAVAILABLE', status: 503, retryable: true },
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: '' });
  });

  test.each([
    ['says nothing', '', /^probe: UNAVAILABLE: no NATS server answers at .*\n$/],
    ['is not NATS', 'SSH-2.0-none\r\n', /^probe: UNAVAILABLE: the NATS server refuses: .* at .*\n$/],
  ])('gives up on a server that %s', async (_title, greeting, line) => {
    const listener = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      if (greeting !== '') socket.write(greeting);
    });
    const address = await listenOnAnyPort(listener);
    const startedAt = performance.now();
    const { exitCode, stdout, stderr } = await probe.run(['a.test'], { NATS_URL: `nats://${address}` });
    listener.close();
    expect(performance.now() - startedAt).toBeLessThan(6000);
    expect(stderr).toMatch(line);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  });

  test('says that no gateway is there', async () => {
    const nats = await startNatsServer();
    const { exitCode, stderr } = await probe.run(['a.test'], { NATS_URL: nats.url });
    await nats.stop();
    expect(stderr).toMatch(/^probe: UNAVAILABLE: nobody answers probe\.task\.\S+ at nats:.*\n$/);
    expect(exitCode).toBe(3);
  });

  test('says that the login is refused', async () => {
    const nats = await startNatsServer({ extraConfig: 'authorization { user: "me", password: "right" }' });
    const env = { NATS_URL: nats.url, NATS_USER: 'me' };
    const refused = await probe.run(['a.test'], { ...env, NATS_PASSWORD: 'wrong' });
    const accepted = await probe.run(['a.test'], { ...env, NATS_PASSWORD: 'right' });
    await nats.stop();
    expect(refused.stderr).toMatch(/^probe: UNAVAILABLE: the NATS server refuses: .*authorization.*\n$/i);
    expect(refused.exitCode).toBe(3);
    expect(accepted.stderr).toContain('nobody answers');
  });
});

describe('a reply', () => {
  test.each(['nonsense', '{"results": 7}', '[]', ''])('such as %j is a failed call', async (body) => {
    const { exitCode, stdout, stderr } = await runProbeAgainst(body, ['a.test']);
    expect(stderr).toMatch(/^probe: (INTERNAL|INVALID_JSON): .*\n$/);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  });

  test('with control characters in its message does not act on the terminal', async () => {
    const reply = formatErrorReply(new ProbeTaskError('OVERLOADED', 'full\u001b[2J\nreally'));
    const { stderr } = await runProbeAgainst(JSON.stringify(reply), ['a.test']);
    expect(stderr).toBe('probe: OVERLOADED: full\\u{001b}[2J\\u{000a}really\n');
  });

  test('keeps with --json what the contract does not know, octet for octet', async () => {
    const body = '{ "results": [], "added": 1.0 }';
    const result = await runProbeAgainst(body, ['a.test', '--json']);
    expect(result).toEqual({ exitCode: 0, stdout: `${body}\n`, stderr: '' });
  });

  test('keeps with --json a code that the contract does not know', async () => {
    const body = '{"error":{"code":"NEWER","status":500,"message":"m","retryable":true,"added":1}}';
    const result = await runProbeAgainst(body, ['a.test', '--json']);
    expect(result).toEqual({ exitCode: 3, stdout: `${body}\n`, stderr: '' });
  });
});
