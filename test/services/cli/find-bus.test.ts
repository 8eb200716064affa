import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigError } from '../../../infra/config.ts';
import { identifySelf } from '../../../infra/local-stack/process-identity.ts';
import { writeStackFile } from '../../../infra/local-stack/stack-file.ts';
import { findBus } from '../../../services/cli/find-bus.ts';

let dataFolder: string;

beforeEach(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'probe-task-cli-'));
});
afterEach(() => rm(dataFolder, { recursive: true, force: true }));

async function recordStack(change: { pid?: number; startedAt?: string } = {}): Promise<void> {
  const { pid, startedAt } = await identifySelf();
  await writeStackFile(dataFolder, {
    pid,
    startedAt,
    ...change,
    natsUrl: 'nats://127.0.0.1:14222',
    databaseUrl: 'postgres://127.0.0.1/x',
    exampleZone: '127.0.0.1:6553',
    services: [],
  });
}

test('takes the bus of the local stack that runs', async () => {
  await recordStack();
  await expect(findBus({ DATA_DIR: dataFolder })).resolves.toMatchObject({
    servers: ['nats://127.0.0.1:14222'],
  });
});

test('prefers NATS_URL', async () => {
  await recordStack();
  await expect(findBus({ DATA_DIR: dataFolder, NATS_URL: 'nats://192.0.2.1:4222' })).resolves.toMatchObject({
    servers: ['nats://192.0.2.1:4222'],
  });
});

test('falls back to the usual port without a stack, and next to what a killed one left', async () => {
  const usual = { servers: ['nats://127.0.0.1:4222'] };
  await expect(findBus({ DATA_DIR: dataFolder, NATS_URL: '' })).resolves.toMatchObject(usual);
  // Above the largest pid that Linux gives.
  await recordStack({ pid: 2 ** 22 + 1 });
  await expect(findBus({ DATA_DIR: dataFolder })).resolves.toMatchObject(usual);
  // The pid of the killed one is by now another program's.
  await recordStack({ startedAt: 'long ago' });
  await expect(findBus({ DATA_DIR: dataFolder })).resolves.toMatchObject(usual);
});

test.each(['{', '{"pid": "x"}'])(
  'says in one line that stack.json holding %j cannot be read',
  async (content) => {
    await writeFile(join(dataFolder, 'stack.json'), content);
    const failure = await findBus({ DATA_DIR: dataFolder }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect(failure).toMatchObject({
      faults: [expect.stringMatching(/^DATA_DIR: stack\.json in .* cannot be read/)],
    });
    expect(failure).toMatchObject({ faults: [expect.not.stringContaining('\n')] });
  },
);

test('names every fault of the environment', async () => {
  const missing = join(dataFolder, 'missing');
  await expect(
    findBus({ NATS_URL: 'nats://192.0.2.1', NATS_CREDS: missing, NATS_CA: missing }),
  ).rejects.toMatchObject({
    faults: [expect.stringMatching(/^NATS_CREDS: /), expect.stringMatching(/^NATS_CA: /)],
  });
  await expect(findBus({ NATS_URL: 'http://192.0.2.1' })).rejects.toMatchObject({
    faults: [expect.stringMatching(/^NATS_URL: /)],
  });
});
