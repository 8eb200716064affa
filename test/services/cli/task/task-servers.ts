// What the task command needs: nats-server, a database and a gateway; and rows of the past, put into the database.
import { Client } from 'pg';
import type { SkippedPart } from '../../../../contracts/task-slot.ts';
import { startNatsServer } from '../../../helpers/nats.ts';
import { createTestDatabase } from '../../../helpers/postgres.ts';
import { spawnService } from '../../../helpers/processes.ts';
import { connectTestClient, type TestClient } from '../../../helpers/test-client.ts';

export type TaskServers = {
  natsUrl: string;
  client: TestClient;
  /** Runs one statement. */
  execute(statement: string, values?: unknown[]): Promise<void>;
  stop(): Promise<void>;
};

export async function startTaskServers(): Promise<TaskServers> {
  const [nats, database] = await Promise.all([startNatsServer(), createTestDatabase()]);
  const gateway = await spawnService('gateway', { NATS_URL: nats.url, DATABASE_URL: database.url });
  const client = await connectTestClient(nats.url);
  const connection = new Client({ connectionString: database.url });
  await connection.connect();
  return {
    natsUrl: nats.url,
    client,
    async execute(statement, values) {
      await connection.query(statement, values);
    },
    async stop() {
      await connection.end();
      await client.stop();
      await gateway.stop();
      await Promise.all([database.drop(), nats.stop()]);
    },
  };
}

/** `lagS`: seconds from the nominal time to the plan. The slot expires a minute after its nominal time. */
export type SlotRow = {
  taskId: string;
  scheduledAt: string;
  lagS?: number;
  agents?: number;
  cells: number;
  missed?: number;
  skipped?: SkippedPart[];
};

export function insertSlot(servers: TaskServers, slot: SlotRow): Promise<void> {
  const { taskId, scheduledAt, lagS = 0.25, agents = 1, cells, missed = 0, skipped = [] } = slot;
  return servers.execute(
    `insert into probe_slot (scheduled_at, task_id, planned_at, expires_at, agents, runs, cells, missed, skipped)
     values ($1::timestamptz, $2, $1::timestamptz + $3 * interval '1 second', $1::timestamptz + interval '60 seconds',
             $4, $4, $5, $6, $7)`,
    [scheduledAt, taskId, lagS, agents, cells, missed, JSON.stringify(skipped)],
  );
}

/** `finishedS`: seconds from the nominal time to the outcome. */
export type ResultRow = {
  taskId: string;
  scheduledAt: string;
  agentId?: string;
  cell?: number;
  status?: string;
  delayMs?: number | null;
  domain?: string;
  answers?: string[];
  finishedS?: number;
};

export function insertResult(servers: TaskServers, result: ResultRow): Promise<void> {
  const { taskId, scheduledAt, agentId = 'agent-1', cell = 0, status = 'NOERROR', delayMs = 1.5 } = result;
  const { domain = 'www.cli.test', answers = [], finishedS = 1 } = result;
  const device = { country: '86', province: '440000', city: '440400', carrier: '电信' };
  const records = answers.map((data) => ({
    name: `${domain}.`,
    ttl: 60,
    rdclass: 'IN',
    rdtype: 'A',
    result: data,
  }));
  return servers.execute(
    `insert into probe_result (scheduled_at, task_id, agent_id, cell, finished_at, device, domain, rtype, dns_server,
                               status, delay_ms, transport, truncated, tries, flags, answer, authority, additional)
     values ($1::timestamptz, $2, $3, $4, $1::timestamptz + $5 * interval '1 second', $6, $7, 'A', '192.0.2.53',
             $8, $9, 'udp', false, 1, '{}', $10, '[]', '[]')`,
    [
      scheduledAt,
      taskId,
      agentId,
      cell,
      finishedS,
      JSON.stringify(device),
      domain,
      status,
      delayMs,
      JSON.stringify(records),
    ],
  );
}
