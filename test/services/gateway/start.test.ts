// How a gateway starts: misconfigured, without its bus, on a port that is taken.
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { startNatsServer } from '../../helpers/nats.ts';
import { createTestDatabase } from '../../helpers/postgres.ts';
import { runService, spawnProgram, spawnService } from '../../helpers/processes.ts';

describe('TLS', () => {
  test('that is asked for and not offered stops the service instead of going on in plain text', async () => {
    const nats = keepUntilTestEnd(await startNatsServer());
    const { exitCode, stdout } = await runService('gateway', {
      NATS_URL: nats.url.replace('nats:', 'tls:'),
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    });
    expect(exitCode).toBe(1);
    expect(stdout).toContain('NATS_URL or NATS_CA ask for TLS, and the server has none');
  });
});

describe('a gateway that waits for its bus', () => {
  test('says so, with the reason, and still stops at once', async () => {
    const gateway = spawnProgram(process.execPath, ['services/gateway/main.ts'], {
      env: { NATS_URL: 'nats://user:secret@127.0.0.1:1', DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' },
    });
    expect(await gateway.waitForLine(/waiting for the bus/)).toMatch(/no NATS server answers/);
    gateway.signal('SIGTERM');
    expect(await gateway.exited).toMatchObject({ exitCode: 0 });
    expect(gateway.output()).not.toContain('secret');
  });

  test('logs in with what stands in the URL', async () => {
    const nats = keepUntilTestEnd(
      await startNatsServer({ extraConfig: 'authorization { user: someone, password: "p@ss" }' }),
    );
    const url = nats.url.replace('//', '//someone:p%40ss@');
    keepUntilTestEnd(
      await spawnService('gateway', { NATS_URL: url, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }),
    );
  });
});

describe('configuration', () => {
  test('faults stop the service with one readable line each', async () => {
    const { exitCode, stderr } = await runService('gateway', {
      NATS_URL: 'http://127.0.0.1',
      NATS_CREDS: 'nowhere.creds',
      METRICS_PORT: '99999',
      LOG_LEVEL: 'loud',
      GATEWAY_MAX_CELLS: '-3',
    });
    expect(exitCode).toBe(1);
    expect(stderr.trim().split('\n').sort()).toEqual([
      'DATABASE_URL: is missing',
      'GATEWAY_MAX_CELLS: expected a whole number from 1 to 1000000',
      'LOG_LEVEL: expected fatal, error, warn, info, debug, trace or silent',
      'METRICS_PORT: expected a whole number from 0 to 65535',
      "NATS_CREDS: ENOENT: no such file or directory, access 'nowhere.creds'",
      'NATS_URL: expected nats://host:port or tls://host:port',
    ]);
  });

  test('a metrics port that is taken stops the service with its number', async () => {
    const database = await createTestDatabase();
    onTestFinished(database.drop);
    const blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker.once('listening', resolve));
    onTestFinished(() => new Promise((resolve) => blocker.close(() => resolve())));
    const address = blocker.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { exitCode, stdout } = await runService('gateway', {
      DATABASE_URL: database.url,
      METRICS_PORT: String(port),
    });
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`METRICS_PORT: port ${port} of 127.0.0.1 is taken`);
  });
});
