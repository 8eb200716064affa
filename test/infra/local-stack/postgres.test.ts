import { once } from 'node:events';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startPostgres } from '../../../infra/local-stack/postgres.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'probe-task-postgres-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

test('starts below a folder that is closed to others, and again when the folder has been opened', async () => {
  const first = await startPostgres({ dataFolder: folder, preferredPort: 0, isDurable: false });
  await ask(first.url, 'create table kept as select 7 as number');
  await first.stop();
  // For root this changes the account that Postgres runs under, and with it the owner of the files.
  await chmod(folder, 0o711);
  const second = await startPostgres({ dataFolder: folder, preferredPort: 0, isDurable: false });
  expect(await ask(second.url, 'select number from kept')).toBe(7);
  await second.stop();
  expect((await stat(join(folder, 'postgres'))).mode & 0o777).toBe(0o700);
});

test('takes the next port when the preferred one is in use, and listens on loopback behind a password', async () => {
  const stranger = createServer().listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const { port } = stranger.address() as AddressInfo;
  const server = await startPostgres({ dataFolder: folder, preferredPort: port, isDurable: false });
  try {
    expect(server.port).toBeGreaterThan(port);
    expect(await ask(server.url, 'show listen_addresses')).toBe('127.0.0.1');
    const withoutPassword = new URL(server.url);
    withoutPassword.password = 'guess';
    await expect(ask(withoutPassword.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  } finally {
    await server.stop();
    stranger.close();
  }
});
