// Two real gateway processes that share a bus and a database, for a file of tests.
import { afterAll, beforeAll } from 'vitest';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/postgres.ts';
import { spawnService, type TestService } from '../../helpers/processes.ts';
import { connectTestClient, type TestClient } from '../../helpers/test-client.ts';
import { execute } from './history-rows.ts';

/** Starts it all before the tests of the calling file, and ends it after them. */
export function useTwoGateways() {
  let nats: TestNatsServer;
  let database: TestDatabase;
  let gateways: TestService[];
  let client: TestClient;

  beforeAll(async () => {
    nats = await startNatsServer();
    database = await createTestDatabase();
    const env = { NATS_URL: nats.url, DATABASE_URL: database.url };
    gateways = [await spawnService('gateway', env), await spawnService('gateway', env)];
    client = await connectTestClient(nats.url);
  });

  afterAll(async () => {
    await client.stop();
    for (const gateway of gateways) await gateway.stop();
    await database.drop();
    await nats.stop();
  });

  const call: TestClient['call'] = (name, request) => client.call(name, request);
  return {
    call,
    request: (subject: string, body: string) => client.request(subject, body),
    natsUrl: () => nats.url,
    /** Runs statements on the database. */
    execute: (...statements: string[]) => execute(database, ...statements),
  };
}
