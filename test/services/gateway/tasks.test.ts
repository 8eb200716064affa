// Tasks: real gateway processes on a real Postgres.
import { afterEach, describe, expect, test } from 'vitest';
import { headers, subjects } from '../../../contracts/subjects.ts';
import { taskListReplySchema } from '../../../contracts/task.ts';
import { startScriptedAgent } from '../../helpers/scripted-agent.ts';
import { useTwoGateways } from './two-gateways.ts';

const target = [{ type: 'domain', rtype: 'A', data: 'x.example' }] as const;

const gateways = useTwoGateways();

describe('tasks', () => {
  test('are stored with defaults, changed by the fields given, and deleted once', async () => {
    const task = await gateways.call('taskCreate', { cycle: 60, target: [...target], uid: 'ops', gid: 7 });
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
    const paused = await gateways.call('taskUpdate', {
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
    expect(await gateways.call('taskGet', {})).toContainEqual(paused);
    expect(await gateways.call('taskDelete', { task_id: task.task_id })).toEqual({ task_id: task.task_id });
    await expect(gateways.call('taskDelete', { task_id: task.task_id })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(gateways.call('taskUpdate', { task_id: task.task_id, status: 1 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('refer to domain groups and groups that exist', async () => {
    const target = [{ type: 'domain_group', rtype: 'A', domain_group_id: 999_999 }] as const;
    await expect(gateways.call('taskCreate', { cycle: 60, target: [...target] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { domain_group_ids: [999_999] },
    });
    const plain = { cycle: 60, target: [{ type: 'domain', data: 'x.example' }] } as const;
    await expect(
      gateways.call('taskCreate', { ...plain, target: [...plain.target], group_id: 555 }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND', details: { group_id: 555 } });
    const agent = await startScriptedAgent({ natsUrl: gateways.natsUrl(), id: 'of-555', groups: [555] });
    const task = await gateways.call('taskCreate', { ...plain, target: [...plain.target], group_id: 555 });
    expect(task.group_id).toBe(555);
    await gateways.call('taskDelete', { task_id: task.task_id });
    await agent.stop();
  });

  test('refuse what is no task, and store nothing of it', async () => {
    const good = { cycle: 60, target: [...target] };
    const before = await gateways.call('taskGet', {});
    const faulty: [string, object][] = [
      ['cycle', { ...good, cycle: -1 }],
      ['target', { ...good, target: [] }],
      ['target', { ...good, target: Array(100_000).fill(target[0]) }],
      ['target.0.type', { ...good, target: [{ type: 'url', rtype: 'A', data: 'x.example' }] }],
      ['idempotency_key', { ...good, idempotency_key: '' }],
    ];
    for (const [path, body] of faulty) {
      const reply = await gateways.request(subjects.taskCreate, JSON.stringify(body));
      expect(reply.json()).toMatchObject({
        error: { code: 'INVALID_REQUEST', details: { faults: [{ path }] } },
      });
    }
    expect(await gateways.call('taskGet', {})).toEqual(before);
  });

  test('keep all of what they were when a part of an update is refused', async () => {
    const task = await gateways.call('taskCreate', { cycle: 60, target: [...target] });
    const group = { type: 'domain_group', rtype: 'A', domain_group_id: 999_999 } as const;
    for (const change of [{ group_id: 555_555 }, { target: [...target, group] }]) {
      await expect(
        gateways.call('taskUpdate', { task_id: task.task_id, cycle: 5, uid: 'other', ...change }),
      ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    await expect(
      gateways.call('taskUpdate', { task_id: task.task_id, uid: 'other', cycle: -5 }),
    ).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    expect(await gateways.call('taskGet', {})).toContainEqual(task);
    await gateways.call('taskDelete', { task_id: task.task_id });
  });

  test('updated twice at once keep both changes of different fields', async () => {
    const { task_id } = await gateways.call('taskCreate', { cycle: 60, target: [...target] });
    for (let round = 1; round <= 10; round += 1) {
      await Promise.all([
        gateways.call('taskUpdate', { task_id, cycle: round }),
        gateways.call('taskUpdate', { task_id, uid: round }),
        gateways.call('taskUpdate', { task_id, probe_data: { dns_servers: [`192.0.2.${round}`] } }),
      ]);
      expect(await gateways.call('taskGet', {})).toMatchObject([
        { task_id, cycle: round, uid: round, probe_data: { dns_servers: [`192.0.2.${round}`] } },
      ]);
    }
    await gateways.call('taskDelete', { task_id });
  });

  test('updated twice at once in the same fields hold one of the two, not a mixture', async () => {
    const { task_id } = await gateways.call('taskCreate', { cycle: 60, target: [...target] });
    for (let round = 0; round < 10; round += 1) {
      const changes = [1, 2, 3, 4].map((value) => ({
        ...{ cycle: 100 * round + value, uid: value, gid: value, service_type: `s${value}` },
        task_time: [value, value + 1] as [number, number],
        target: [{ type: 'domain' as const, rtype: 'A', data: `n${value}.example` }],
      }));
      const replies = await Promise.all(
        changes.map((change) => gateways.call('taskUpdate', { task_id, ...change })),
      );
      for (const [index, reply] of replies.entries()) expect(reply).toMatchObject(changes[index] ?? {});
      const [stored] = await gateways.call('taskGet', {});
      expect(replies).toContainEqual(stored);
    }
    await gateways.call('taskDelete', { task_id });
  });

  test('come 10,000 in one reply, page by page in stable order, and by the time of their change', async () => {
    await gateways.execute(
      `
      insert into probe_task (type, service_type, cycle, probe_data, target, status, pinned, updated_at)
      select 'dns', 'dnsMonitor', 60, '{"dns_servers": ["192.0.2.1"]}',
             '[{"type": "domain", "rtype": "A", "data": "name.example"}]', 1, false,
             to_timestamp(1000000 + n)
      from generate_series(1, 10000) n`,
    );
    const all = await gateways.call('taskGet', {});
    expect(all.length).toBe(10_000);
    const paged: string[] = [];
    let cursor: string | undefined;
    do {
      const body = JSON.stringify({ limit: 3000, cursor });
      const reply = await gateways.request(subjects.taskGet, body);
      paged.push(...taskListReplySchema.parse(reply.json()).map(({ task_id }) => task_id));
      cursor = reply.headers?.get(headers.nextCursor) || undefined;
    } while (cursor !== undefined);
    expect(paged).toEqual(all.map(({ task_id }) => task_id));
    expect(await gateways.call('taskGet', { changed_since: 1_000_000 + 9_991 })).toHaveLength(10);
    await gateways.execute('delete from probe_task');
  });

  test('too many for one message are refused with both sizes, and pages get through', async () => {
    await gateways.execute(
      `
      insert into probe_task (type, service_type, cycle, probe_data, target, status, pinned)
      select 'dns', 'dnsMonitor', 60, '{"dns_servers": []}',
             jsonb_build_array(jsonb_build_object('type', 'domain', 'rtype', 'A', 'data', repeat('x', 60))), 1, false
      from generate_series(1, 40000)`,
    );
    await expect(gateways.call('taskGet', {})).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit: 8 * 1024 * 1024 },
    });
    expect(await gateways.call('taskGet', { limit: 10_000 })).toHaveLength(10_000);
    await gateways.execute('delete from probe_task');
  });
});

describe('creating a task with an idempotency key', () => {
  const task = { cycle: 60, target: [...target], uid: 7, task_time: ['08:00', '20:00'] as [string, string] };
  const key = (name: string) => ({ idempotency_key: name });

  afterEach(() => gateways.execute('delete from probe_task'));

  test('again replies with the task that is there', async () => {
    const first = await gateways.call('taskCreate', { ...task, ...key('again') });
    expect(await gateways.call('taskCreate', { ...task, ...key('again') })).toEqual(first);
    // The same with its defaults written out, and its fields in another order.
    const spelledOut = {
      ...{ ...key('again'), pinned: false, task_time: task.task_time, gid: null, uid: 7, group_id: null },
      ...{ status: 1 as const, probe_data: { dns_servers: [] }, service_type: 'dnsMonitor', type: 'dns' },
      target: [{ data: 'x.example', rtype: 'a', type: 'domain' as const }],
      cycle: 60,
    };
    expect(await gateways.call('taskCreate', spelledOut)).toEqual(first);
    expect(await gateways.call('taskGet', {})).toEqual([first]);
  });

  test.each<[string, object]>([
    ['cycle', { cycle: 61 }],
    ['target', { target: [{ type: 'domain', rtype: 'AAAA', data: 'x.example' }] }],
    ['uid', { uid: '7' }],
    ['task_time', { task_time: null }],
    ['status', { status: 0 }],
  ])('again with another %s is a conflict, and changes nothing', async (_, other) => {
    const first = await gateways.call('taskCreate', { ...task, ...key('other') });
    await expect(gateways.call('taskCreate', { ...task, ...other, ...key('other') })).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { task_id: first.task_id },
    });
    expect(await gateways.call('taskGet', {})).toEqual([first]);
  });

  test('twice at once makes one task', async () => {
    for (let round = 0; round < 10; round += 1) {
      const replies = await Promise.all(
        Array.from({ length: 6 }, () => gateways.call('taskCreate', { ...task, ...key(`race ${round}`) })),
      );
      expect(new Set(replies.map(({ task_id }) => task_id)).size).toBe(1);
    }
    expect(await gateways.call('taskGet', {})).toHaveLength(10);
  });

  test('twice at once with other fields makes one task and a conflict', async () => {
    for (let round = 0; round < 10; round += 1) {
      const replies = await Promise.allSettled(
        [60, 61].map((cycle) => gateways.call('taskCreate', { ...task, cycle, ...key(`clash ${round}`) })),
      );
      expect(replies.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const [refused] = replies.flatMap((reply) => (reply.status === 'rejected' ? [reply.reason] : []));
      expect(refused).toMatchObject({ code: 'CONFLICT' });
    }
  });

  test('after its deletion makes a new one; without a key each is one of its own', async () => {
    const first = await gateways.call('taskCreate', { ...task, ...key('gone') });
    await gateways.call('taskDelete', { task_id: first.task_id });
    const second = await gateways.call('taskCreate', { ...task, ...key('gone') });
    expect(second).toEqual({ ...first, task_id: second.task_id });
    expect(second.task_id).not.toBe(first.task_id);
    await gateways.call('taskCreate', task);
    await gateways.call('taskCreate', { ...task, idempotency_key: null });
    expect(await gateways.call('taskGet', {})).toHaveLength(3);
  });

  test('again replies with the task even when the group it was made for is gone', async () => {
    await gateways.call('groupDetailSet', { group_id: 31, details: [{ country: 86 }] });
    const grouped = { ...task, group_id: 31, ...key('grouped') };
    const first = await gateways.call('taskCreate', grouped);
    await gateways.call('groupDetailDelete', { group_id: 31 });
    expect(await gateways.call('taskCreate', grouped)).toEqual(first);
    await expect(gateways.call('taskCreate', { ...grouped, ...key('late') })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
