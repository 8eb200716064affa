// Runs that nobody finishes, on a real Postgres: every cell ends as a row that says why it has no outcome.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { buryRuns, reapRuns } from '../../../services/scheduler/clear-runs.ts';
import { slotAt, useRecurringTables } from '../../helpers/recurring-tables.ts';

const tables = useRecurringTables();

type ResultRow = {
  cell: number;
  domain: string;
  dns_server: string;
  status: string;
  [column: string]: unknown;
};

function readResults(): Promise<ResultRow[]> {
  return tables.query(sql<ResultRow>`select * from probe_result order by task_id, agent_id, cell`);
}

async function countRuns(): Promise<number> {
  return (await tables.query(sql`select from probe_run`)).length;
}

const twoByThree = {
  servers: ['192.0.2.1', '192.0.2.2'],
  targets: [
    { domain: 'a.example', rtype: 'A' },
    { domain: 'b.example', rtype: 'MX' },
    { domain: 'c.example', rtype: 'TYPE99' },
  ],
};

describe('buryRuns', () => {
  test('stores a row for each cell under the number that the cell has in its grid', async () => {
    await tables.addAgent('a', { place: ['86', '440000', '440400', '电信'] });
    await tables.addRun({
      task_id: '7',
      payload: { ...twoByThree, first_cell: 203, stride: 50 },
      expiresIn: -1,
    });
    expect(await buryRuns(tables.database)).toEqual({
      runs: 1,
      cells: [{ status: 'EXPIRED', count: 6 }],
      abandoned: [],
    });
    expect(await countRuns()).toBe(0);
    const results = await readResults();
    expect(results.map(({ cell, dns_server, domain, rtype }) => [cell, dns_server, domain, rtype])).toEqual([
      [203, '192.0.2.1', 'a.example', 'A'],
      [204, '192.0.2.1', 'b.example', 'MX'],
      [205, '192.0.2.1', 'c.example', 'TYPE99'],
      [253, '192.0.2.2', 'a.example', 'A'],
      [254, '192.0.2.2', 'b.example', 'MX'],
      [255, '192.0.2.2', 'c.example', 'TYPE99'],
    ]);
    expect(results[0]).toEqual({
      scheduled_at: slotAt,
      task_id: '7',
      agent_id: 'a',
      cell: 203,
      finished_at: expect.any(Date),
      device: { country: '86', province: '440000', city: '440400', carrier: '电信' },
      domain: 'a.example',
      rtype: 'A',
      dns_server: '192.0.2.1',
      status: 'EXPIRED',
      delay_ms: null,
      lag_ms: null,
      transport: null,
      truncated: false,
      tries: 0,
      flags: [],
      answer: [],
      authority: [],
      additional: [],
    });
  });

  test('tells what was held and lost from what nobody ever held', async () => {
    await tables.addRun({ agent_id: 'lapsed-thrice', leasedFor: -1, lapses: 2 });
    await tables.addRun({ agent_id: 'lapsed-once', expiresIn: -1, lapses: 1, attempt: 1 });
    await tables.addRun({ agent_id: 'handed-back', expiresIn: -1, attempt: 1 });
    await tables.addRun({ agent_id: 'unclaimed', expiresIn: -1 });
    const { runs, cells } = await buryRuns(tables.database);
    expect(runs).toBe(4);
    expect(cells.toSorted((one, other) => one.status.localeCompare(other.status))).toEqual([
      { status: 'EXPIRED', count: 2 },
      { status: 'LOST', count: 2 },
    ]);
    expect((await readResults()).map(({ agent_id, status }) => [agent_id, status])).toEqual([
      ['handed-back', 'EXPIRED'],
      ['lapsed-once', 'LOST'],
      ['lapsed-thrice', 'LOST'],
      ['unclaimed', 'EXPIRED'],
    ]);
  });

  test('leaves runs alone that may still be done', async () => {
    await tables.addRun();
    await tables.addRun({ leasedFor: 1000, expiresIn: -1, lapses: 2 });
    await tables.addRun({ leasedFor: -1, expiresIn: -1, lapses: 1 });
    expect(await buryRuns(tables.database)).toEqual({ runs: 0, cells: [], abandoned: [] });
    expect(await countRuns()).toBe(3);
    expect(await readResults()).toEqual([]);
  });

  test('stores nothing over a result that is there', async () => {
    await tables.query(sql`
      insert into probe_result (scheduled_at, task_id, agent_id, cell, device, domain, rtype, dns_server, status,
        truncated, tries, flags, answer, authority, additional)
      values (${slotAt}, 1, 'a', 1, '{}', 'kept.example', 'A', '192.0.2.9', 'NOERROR', false, 1, '{}', '[]', '[]', '[]')`);
    await tables.addRun({ payload: { ...twoByThree, first_cell: 0, stride: 3 }, expiresIn: -1 });
    expect(await buryRuns(tables.database)).toEqual({
      runs: 1,
      cells: [{ status: 'EXPIRED', count: 5 }],
      abandoned: [],
    });
    const results = await readResults();
    expect(results.map(({ cell }) => cell)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(results[1]).toMatchObject({ domain: 'kept.example', status: 'NOERROR' });
  });

  test('places cells of an agent that is not known nowhere', async () => {
    await tables.addRun({ agent_id: 'gone', expiresIn: -1, payload: { servers: [''] } });
    await buryRuns(tables.database);
    expect(await readResults()).toMatchObject([
      { dns_server: '', device: { country: '', province: '', city: '', carrier: '' } },
    ]);
  });

  test('cuts names that no index of results would take', async () => {
    const domain = Array.from({ length: 4000 }, (_, index) => index.toString(36)).join('');
    await tables.addRun({
      expiresIn: -1,
      payload: { servers: [domain], targets: [{ domain, rtype: domain }] },
    });
    expect(await buryRuns(tables.database)).toMatchObject({ runs: 1, abandoned: [] });
    const [result] = await readResults();
    expect(domain.startsWith(result?.domain ?? '-')).toBe(true);
  });

  test('deletes a run whose results cannot be stored, and stores those of the others', async () => {
    // Four octets each: within the limit of a name, and more than an index takes.
    const domain = Array.from({ length: 1024 }, (_, n) =>
      String.fromCodePoint(0x10000 + ((n * 7919) % 60_000)),
    ).join('');
    const sound: string[] = [];
    for (let index = 0; index < 5; index += 1)
      sound.push(await tables.addRun({ task_id: '7', expiresIn: -5 + index }));
    const bad = await tables.addRun({
      task_id: '8',
      expiresIn: -3,
      payload: { targets: [{ domain, rtype: 'A' }] },
    });
    const badLost = await tables.addRun({
      task_id: '9',
      leasedFor: -1,
      lapses: 2,
      payload: { targets: [{ domain, rtype: 'A' }] },
    });
    const { runs, cells, abandoned } = await buryRuns(tables.database);
    expect(runs).toBe(sound.length + 2);
    expect(cells.reduce((sum, { count }) => sum + count, 0)).toBe(1);
    expect(abandoned.toSorted((one, other) => Number(one.id) - Number(other.id))).toMatchObject([
      { id: bad, fault: { code: '54000' } },
      { id: badLost, fault: { code: '54000' } },
    ]);
    expect(await countRuns()).toBe(0);
    expect(await readResults()).toMatchObject([{ task_id: '7', status: 'EXPIRED' }]);
  });

  test('by several schedulers at once stores each cell once', async () => {
    for (let index = 0; index < 30; index += 1) {
      await tables.addRun({ expiresIn: -1, payload: { ...twoByThree, first_cell: index * 6, stride: 3 } });
    }
    const buried = await Promise.all(Array.from({ length: 4 }, () => buryRuns(tables.database)));
    expect(buried.reduce((sum, { runs }) => sum + runs, 0)).toBe(30);
    expect(buried.flatMap(({ cells }) => cells).reduce((sum, { count }) => sum + count, 0)).toBe(180);
    expect((await readResults()).map(({ cell }) => cell)).toEqual(
      Array.from({ length: 180 }, (_, cell) => cell),
    );
  });
});

test('reapRuns makes runs ready again whose lease ran out, and tells how many', async () => {
  await tables.addRun({ leasedFor: -1 });
  await tables.addRun({ leasedFor: -1 });
  await tables.addRun({ leasedFor: 1000 });
  expect(await reapRuns(tables.database)).toBe(2);
  expect(await tables.query(sql`select state, lapses from probe_run order by state`)).toEqual([
    { state: 0, lapses: 1 },
    { state: 0, lapses: 1 },
    { state: 1, lapses: 0 },
  ]);
});
