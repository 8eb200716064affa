import { connect } from 'nats';
import { expect, test } from 'vitest';
import { startNatsServer } from '../../helpers/nats.ts';

test('takes bodies of 8 MB and listens on loopback', async () => {
  const server = await startNatsServer();
  const client = await connect({ servers: server.url });
  expect(new URL(server.url).hostname).toBe('127.0.0.1');
  expect(client.info?.max_payload).toBe(8 * 1024 * 1024);
  await client.close();
  await server.stop();
});

test('comes back on the same port after SIGKILL', async () => {
  const server = await startNatsServer();
  const { port } = server;
  await server.kill();
  await expect(connect({ servers: server.url, reconnect: false })).rejects.toMatchObject({
    code: 'CONNECTION_REFUSED',
  });
  await server.restart();
  const client = await connect({ servers: `nats://127.0.0.1:${port}` });
  await client.close();
  await server.stop();
});

test('obeys further lines of configuration', async () => {
  const server = await startNatsServer({ extraConfig: 'authorization { user: someone, password: secret }' });
  await expect(connect({ servers: server.url, reconnect: false })).rejects.toMatchObject({
    code: 'AUTHORIZATION_VIOLATION',
  });
  const client = await connect({ servers: server.url, user: 'someone', pass: 'secret' });
  await client.close();
  await server.stop();
});
