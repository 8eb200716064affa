// Groups and resolvers: real gateway processes on a real Postgres.
import { describe, expect, test } from 'vitest';
import { headers, subjects } from '../../../contracts/subjects.ts';
import { useTwoGateways } from './two-gateways.ts';

const gateways = useTwoGateways();

describe('domain groups', () => {
  test('are created, renamed, filled and deleted; names are unique', async () => {
    const group = await gateways.call('domainGroupCreate', {
      name: 'first',
      domains: ['a.example', 'b.example'],
    });
    const other = await gateways.call('domainGroupCreate', { name: 'second', domains: ['c.example'] });
    // As after a reply that was lost.
    expect(
      await gateways.call('domainGroupCreate', { name: 'first', domains: ['a.example', 'b.example'] }),
    ).toEqual(group);
    await expect(
      gateways.call('domainGroupCreate', { name: 'first', domains: ['d.example'] }),
    ).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await expect(gateways.call('domainGroupUpdate', { id: other.id, name: 'first' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    const renamed = await gateways.call('domainGroupUpdate', { id: group.id, name: 'third' });
    expect(renamed).toEqual({ id: group.id, name: 'third', domains: ['a.example', 'b.example'] });
    expect(await gateways.call('domainGroupGet', {})).toEqual([renamed, other]);
    for (const { id } of [group, other]) await gateways.call('domainGroupDelete', { id });
    await expect(gateways.call('domainGroupDelete', { id: group.id })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(gateways.call('domainGroupUpdate', { id: group.id, name: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('created twice at once are one', async () => {
    for (let round = 0; round < 10; round += 1) {
      const group = { name: `twice ${round}`, domains: ['a.example'] };
      const [one, two] = await Promise.all([
        gateways.call('domainGroupCreate', group),
        gateways.call('domainGroupCreate', group),
      ]);
      expect(one).toEqual(two);
      await gateways.call('domainGroupDelete', { id: one.id });
    }
  });

  test('stay while a task uses them', async () => {
    const { id } = await gateways.call('domainGroupCreate', { name: 'used', domains: ['a.example'] });
    const task = await gateways.call('taskCreate', {
      cycle: 0,
      target: [{ type: 'domain_group', domain_group_id: id }],
    });
    await expect(gateways.call('domainGroupDelete', { id })).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { task_ids: [task.task_id] },
    });
    await gateways.call('taskDelete', { task_id: task.task_id });
    expect(await gateways.call('domainGroupDelete', { id })).toEqual({ id });
  });

  test('deleted and taken into use at once end on one side only', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id } = await gateways.call('domainGroupCreate', {
        name: `raced ${round}`,
        domains: ['a.example'],
      });
      const [created, deleted] = await Promise.allSettled([
        gateways.call('taskCreate', { cycle: 0, target: [{ type: 'domain_group', domain_group_id: id }] }),
        gateways.call('domainGroupDelete', { id }),
      ]);
      expect([created.status, deleted.status].sort()).toEqual(['fulfilled', 'rejected']);
    }
    await gateways.execute('delete from probe_task');
  });

  test('are listed page by page', async () => {
    await gateways.execute('delete from domain_group');
    const created: number[] = [];
    for (const name of ['p1', 'p2', 'p3']) {
      created.push((await gateways.call('domainGroupCreate', { name, domains: ['a.example'] })).id);
    }
    const first = await gateways.request(subjects.domainGroupGet, JSON.stringify({ limit: 2 }));
    expect(first.headers?.get(headers.nextCursor)).toBe(String(created[1]));
    const rest = await gateways.call('domainGroupGet', { limit: 2, cursor: Number(created[1]) });
    expect(rest.map(({ id }) => id)).toEqual([created[2]]);
    for (const id of created) await gateways.call('domainGroupDelete', { id });
  });

  test('hold 5,000 names', async () => {
    const domains = Array.from({ length: 5000 }, (_, index) => `name-${index}.example`);
    const { id } = await gateways.call('domainGroupCreate', { name: 'large', domains });
    expect((await gateways.call('domainGroupGet', {})).find((group) => group.id === id)?.domains).toEqual(
      domains,
    );
    await gateways.call('domainGroupDelete', { id });
  });
});

describe('groups', () => {
  test('are replaced as a whole; a place given twice counts once; wildcards are told as *', async () => {
    const details = [
      { country: 86, province: 440000 },
      { country: '86', province: '440000', city: '' },
      { country: 852 },
    ];
    const set = await gateways.call('groupDetailSet', { group_id: 9, details });
    expect(set).toEqual([
      { group_id: 9, country: '86', province: '440000', city: '*', carrier: '*' },
      { group_id: 9, country: '852', province: '*', city: '*', carrier: '*' },
    ]);
    await gateways.call('groupDetailSet', { group_id: 9, details: [{ carrier: '电信' }] });
    expect(await gateways.call('groupDetailGet', {})).toEqual([
      { group_id: 9, country: '*', province: '*', city: '*', carrier: '电信' },
    ]);
    expect(await gateways.call('groupDetailDelete', { group_id: 9 })).toEqual({ group_id: 9 });
    await expect(gateways.call('groupDetailDelete', { group_id: 9 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('set twice at once hold one of the two, not both', async () => {
    const places = ['a', 'b', 'c', 'd', 'e', 'f'];
    await Promise.all(
      places.map((country) =>
        gateways.call('groupDetailSet', { group_id: 10, details: [{ country }, { province: country }] }),
      ),
    );
    const rows = (await gateways.call('groupDetailGet', {})).filter(({ group_id }) => group_id === 10);
    expect(rows).toHaveLength(2);
    expect(new Set(rows.map(({ country, province }) => (country === '*' ? province : country))).size).toBe(1);
    await gateways.call('groupDetailDelete', { group_id: 10 });
  });
});

describe('resolvers of a region', () => {
  test('are set, replaced and deleted by place', async () => {
    const place = { country: '86', province: '*', city: '*', carrier: '*' };
    await gateways.call('localDnsSet', { country: 86, ips: ['192.0.2.1'] });
    const row = await gateways.call('localDnsSet', { country: '86', ips: ['192.0.2.2', '[2001:db8::1]:53'] });
    expect(row).toEqual({ ...place, ips: ['192.0.2.2', '[2001:db8::1]:53'] });
    expect(await gateways.call('localDnsGet', {})).toEqual([row]);
    expect(await gateways.call('localDnsDelete', { country: 86 })).toEqual(place);
    await expect(gateways.call('localDnsDelete', { country: 86 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
