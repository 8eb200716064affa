// Tasks, groups and resolvers: a real gateway process on a real Postgres.
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RpcInput, RpcReply } from '../../../contracts/rpc.ts';
import { headers, subjects } from '../../../contracts/subjects.ts';
import { taskListReplySchema } from '../../../contracts/task.ts';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/postgres.ts';
import { spawnService, type TestService } from '../../helpers/processes.ts';
import { startScriptedAgent } from '../../helpers/scripted-agent.ts';
import { connectTestClient, type TestClient } from '../../helpers/test-client.ts';

const target = [{ type: 'domain', rtype: 'A', data: 'x.example' }] as const;

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

async function query(sql: string): Promise<void> {
  const connection = new Client({ connectionString: database.url });
  await connection.connect();
  await connection.query(sql);
  await connection.end();
}

describe('tasks', () => {
  test('are stored with defaults, changed by the fields given, and deleted once', async () => {
    const task = await client.call('taskCreate', { cycle: 60, target: [...target], uid: 'ops', gid: 7 });
    expect(task).toEqual({
      task_id: task.task_id,
      type: 'dns',
      service_type: 'dnsMonitor',
      cycle: 60,
      probe_data: { dns_servers: [] },
      target,
      status: 1,
      group_id: null,
      uid: 'ops',
      gid: 7,
      task_time: null,
      pinned: false,
    });
    const paused = await client.call('taskUpdate', {
      task_id: task.task_id,
      status: 0,
      uid: null,
      probe_data: { dns_servers: ['192.0.2.1'] },
      task_time: ['08:00', '20:00'],
    });
    expect(paused).toEqual({
      ...task,
      status: 0,
      uid: null,
      probe_data: { dns_servers: ['192.0.2.1'] },
      task_time: ['08:00', '20:00'],
    });
    expect(await client.call('taskGet', {})).toContainEqual(paused);
    expect(await client.call('taskDelete', { task_id: task.task_id })).toEqual({ task_id: task.task_id });
    await expect(client.call('taskDelete', { task_id: task.task_id })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(client.call('taskUpdate', { task_id: task.task_id, status: 1 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('refer to domain groups and groups that exist', async () => {
    const target = [{ type: 'domain_group', rtype: 'A', domain_group_id: 999_999 }] as const;
    await expect(client.call('taskCreate', { cycle: 60, target: [...target] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { domain_group_ids: [999_999] },
    });
    const plain = { cycle: 60, target: [{ type: 'domain', data: 'x.example' }] } as const;
    await expect(
      client.call('taskCreate', { ...plain, target: [...plain.target], group_id: 555 }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND', details: { group_id: 555 } });
    const agent = await startScriptedAgent({ natsUrl: nats.url, id: 'of-555', groups: [555] });
    const task = await client.call('taskCreate', { ...plain, target: [...plain.target], group_id: 555 });
    expect(task.group_id).toBe(555);
    await client.call('taskDelete', { task_id: task.task_id });
    await agent.stop();
  });

  test('come 10,000 in one reply, page by page in stable order, and by the time of their change', async () => {
    await query(`
      insert into probe_task (type, service_type, cycle, probe_data, target, status, pinned, updated_at)
      select 'dns', 'dnsMonitor', 60, '{"dns_servers": ["192.0.2.1"]}',
             '[{"type": "domain", "rtype": "A", "data": "name.example"}]', 1, false,
             to_timestamp(1000000 + n)
      from generate_series(1, 10000) n`);
    const all = await client.call('taskGet', {});
    expect(all.length).toBe(10_000);
    const paged: string[] = [];
    let cursor: string | undefined;
    do {
      const body = JSON.stringify({ limit: 3000, cursor });
      const reply = await client.request(subjects.taskGet, body);
      paged.push(...taskListReplySchema.parse(reply.json()).map(({ task_id }) => task_id));
      cursor = reply.headers?.get(headers.nextCursor) || undefined;
    } while (cursor !== undefined);
    expect(paged).toEqual(all.map(({ task_id }) => task_id));
    expect(await client.call('taskGet', { changed_since: 1_000_000 + 9_991 })).toHaveLength(10);
    await query('delete from probe_task');
  });

  test('too many for one message are refused with both sizes, and pages get through', async () => {
    await query(`
      insert into probe_task (type, service_type, cycle, probe_data, target, status, pinned)
      select 'dns', 'dnsMonitor', 60, '{"dns_servers": []}',
             jsonb_build_array(jsonb_build_object('type', 'domain', 'rtype', 'A', 'data', repeat('x', 60))), 1, false
      from generate_series(1, 40000)`);
    await expect(client.call('taskGet', {})).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit: 8 * 1024 * 1024 },
    });
    expect(await client.call('taskGet', { limit: 10_000 })).toHaveLength(10_000);
    await query('delete from probe_task');
  });
});

describe('results', () => {
  /** 2,000 rows: 100 slots of a minute × 2 tasks × 2 agents × 5 cells. */
  const fill = `
    insert into probe_result (scheduled_at, task_id, agent_id, cell, device, domain, rtype, dns_server, status, delay_ms,
                              transport, truncated, tries, flags, answer, authority, additional)
    select to_timestamp(1790000000 + slot * 60), task, agent, cell,
           '{"country": "86", "province": "1", "city": "2", "carrier": "x"}',
           'n' || cell || '.example', 'A', '192.0.2.53', case cell when 4 then 'TIMEOUT' else 'NOERROR' end,
           case cell when 4 then null else 1.5 end, 'udp', false, 1, '{rd}',
           '[{"name": "n.example.", "ttl": 1, "rdclass": "IN", "rdtype": "A", "result": "192.0.2.1"}]', '[]', '[]'
    from generate_series(0, 99) slot, (values (1), (2)) tasks (task), (values ('one'), ('two')) agents (agent),
         generate_series(0, 4) cell`;

  test('come newest first, page by page, each row once', async () => {
    await query(fill);
    const keys: string[] = [];
    let cursor: string | null = null;
    do {
      const page: RpcReply<'taskResultGet'> = await client.call('taskResultGet', { limit: 333, cursor });
      keys.push(
        ...page.results.map((row) => `${row.scheduled_at} ${row.task_id} ${row.agent_id} ${row.domain}`),
      );
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(keys).toHaveLength(2000);
    expect(new Set(keys).size).toBe(2000);
    const slots = keys.map((key) => key.split(' ')[0] ?? '');
    expect(slots).toEqual(slots.toSorted().reverse());
    expect(keys.slice(0, 2)).toEqual([
      '2026-09-21T15:52:20.000Z 1 one n0.example',
      '2026-09-21T15:52:20.000Z 1 one n1.example',
    ]);
    await query('delete from probe_result');
  });

  test('are chosen by task, agent, domain, status and time', async () => {
    await query(fill);
    const count = async (request: RpcInput<'taskResultGet'>) =>
      (await client.call('taskResultGet', { limit: 1000, ...request })).results.length;
    expect(await count({})).toBe(1000);
    expect(await count({ task_id: '1', agent_id: 'two' })).toBe(500);
    expect(await count({ task_id: '1', domain: 'n3.example' })).toBe(200);
    expect(await count({ status: 'TIMEOUT' })).toBe(400);
    expect(await count({ from: 1_790_000_000, to: 1_790_000_060 })).toBe(20);
    expect(await count({ from: '2026-09-21T23:52:20+08:00' })).toBe(20);
    expect(await count({ task_id: '3' })).toBe(0);
    const [row] = (await client.call('taskResultGet', { status: 'TIMEOUT', limit: 1 })).results;
    expect(row).toMatchObject({
      delay: null,
      device: { carrier: 'x' },
      answer_section: [{ result: '192.0.2.1' }],
    });
    await query('delete from probe_result');
  });

  test.each([
    'nowhere',
    'W10',
    Buffer.from('["2026-09-21T14:52:20.000Z","1","one",-1]').toString('base64url'),
  ])('are refused for the cursor %s, which no reply gave', async (cursor) => {
    await expect(client.call('taskResultGet', { cursor })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      details: { faults: [{ path: 'cursor' }] },
    });
  });
});

describe('domain groups', () => {
  test('are created, renamed, filled and deleted; names are unique', async () => {
    const group = await client.call('domainGroupCreate', {
      name: 'first',
      domains: ['a.example', 'b.example'],
    });
    const other = await client.call('domainGroupCreate', { name: 'second', domains: ['c.example'] });
    await expect(
      client.call('domainGroupCreate', { name: 'first', domains: ['d.example'] }),
    ).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await expect(client.call('domainGroupUpdate', { id: other.id, name: 'first' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    const renamed = await client.call('domainGroupUpdate', { id: group.id, name: 'third' });
    expect(renamed).toEqual({ id: group.id, name: 'third', domains: ['a.example', 'b.example'] });
    expect(await client.call('domainGroupGet', {})).toEqual([renamed, other]);
    for (const { id } of [group, other]) await client.call('domainGroupDelete', { id });
    await expect(client.call('domainGroupDelete', { id: group.id })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(client.call('domainGroupUpdate', { id: group.id, name: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('stay while a task uses them', async () => {
    const { id } = await client.call('domainGroupCreate', { name: 'used', domains: ['a.example'] });
    const task = await client.call('taskCreate', {
      cycle: 0,
      target: [{ type: 'domain_group', domain_group_id: id }],
    });
    await expect(client.call('domainGroupDelete', { id })).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { task_ids: [task.task_id] },
    });
    await client.call('taskDelete', { task_id: task.task_id });
    expect(await client.call('domainGroupDelete', { id })).toEqual({ id });
  });

  test('deleted and taken into use at once end on one side only', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id } = await client.call('domainGroupCreate', {
        name: `raced ${round}`,
        domains: ['a.example'],
      });
      const [created, deleted] = await Promise.allSettled([
        client.call('taskCreate', { cycle: 0, target: [{ type: 'domain_group', domain_group_id: id }] }),
        client.call('domainGroupDelete', { id }),
      ]);
      expect([created.status, deleted.status].sort()).toEqual(['fulfilled', 'rejected']);
    }
    await query('delete from probe_task');
  });

  test('are listed page by page', async () => {
    await query('delete from domain_group');
    const created: number[] = [];
    for (const name of ['p1', 'p2', 'p3']) {
      created.push((await client.call('domainGroupCreate', { name, domains: ['a.example'] })).id);
    }
    const first = await client.request(subjects.domainGroupGet, JSON.stringify({ limit: 2 }));
    expect(first.headers?.get(headers.nextCursor)).toBe(String(created[1]));
    const rest = await client.call('domainGroupGet', { limit: 2, cursor: Number(created[1]) });
    expect(rest.map(({ id }) => id)).toEqual([created[2]]);
    for (const id of created) await client.call('domainGroupDelete', { id });
  });

  test('hold 5,000 names', async () => {
    const domains = Array.from({ length: 5000 }, (_, index) => `name-${index}.example`);
    const { id } = await client.call('domainGroupCreate', { name: 'large', domains });
    expect((await client.call('domainGroupGet', {})).find((group) => group.id === id)?.domains).toEqual(
      domains,
    );
    await client.call('domainGroupDelete', { id });
  });
});

describe('groups', () => {
  test('are replaced as a whole; a place given twice counts once; wildcards are told as *', async () => {
    const details = [
      { country: 86, province: 440000 },
      { country: '86', province: '440000', city: '' },
      { country: 852 },
    ];
    const set = await client.call('groupDetailSet', { group_id: 9, details });
    expect(set).toEqual([
      { group_id: 9, country: '86', province: '440000', city: '*', carrier: '*' },
      { group_id: 9, country: '852', province: '*', city: '*', carrier: '*' },
    ]);
    await client.call('groupDetailSet', { group_id: 9, details: [{ carrier: '电信' }] });
    expect(await client.call('groupDetailGet', {})).toEqual([
      { group_id: 9, country: '*', province: '*', city: '*', carrier: '电信' },
    ]);
    expect(await client.call('groupDetailDelete', { group_id: 9 })).toEqual({ group_id: 9 });
    await expect(client.call('groupDetailDelete', { group_id: 9 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('set twice at once hold one of the two, not both', async () => {
    const places = ['a', 'b', 'c', 'd', 'e', 'f'];
    await Promise.all(
      places.map((country) =>
        client.call('groupDetailSet', { group_id: 10, details: [{ country }, { province: country }] }),
      ),
    );
    const rows = (await client.call('groupDetailGet', {})).filter(({ group_id }) => group_id === 10);
    expect(rows).toHaveLength(2);
    expect(new Set(rows.map(({ country, province }) => (country === '*' ? province : country))).size).toBe(1);
    await client.call('groupDetailDelete', { group_id: 10 });
  });
});

describe('resolvers of a region', () => {
  test('are set, replaced and deleted by place', async () => {
    const place = { country: '86', province: '*', city: '*', carrier: '*' };
    await client.call('localDnsSet', { country: 86, ips: ['192.0.2.1'] });
    const row = await client.call('localDnsSet', { country: '86', ips: ['192.0.2.2', '[2001:db8::1]:53'] });
    expect(row).toEqual({ ...place, ips: ['192.0.2.2', '[2001:db8::1]:53'] });
    expect(await client.call('localDnsGet', {})).toEqual([row]);
    expect(await client.call('localDnsDelete', { country: 86 })).toEqual(place);
    await expect(client.call('localDnsDelete', { country: 86 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
