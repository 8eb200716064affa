// preview over real HTTP: the next times, and the faults that add_task would find.
import { expect, test } from 'vitest';
import { useCrontabApi } from './crontab-api.ts';

const api = useCrontabApi();

test('tells the next times with the offset of their zone', async () => {
  const data = await api.call('preview', { type: 4, start_time: '0 30 9 * * *', count: 3 });
  expect(data.time_zone).toBe('Asia/Shanghai');
  expect(data.times).toHaveLength(3);
  for (const time of data.times) expect(time).toMatch(/^20\d\d-\d\d-\d\dT09:30:00\+08:00$/);
  const moments = data.times.map(Date.parse);
  expect(moments[0]).toBeGreaterThan(Date.now() - 1000);
  expect([1, 2].map((index) => (moments[index] ?? 0) - (moments[index - 1] ?? 0))).toEqual([
    86_400_000, 86_400_000,
  ]);
});

test('takes type 2 and five times for granted, and null for left out', async () => {
  const data = await api.call('preview', {
    start_time: '@every 10s',
    type: null,
    count: null,
    time_zone: null,
  });
  expect(data.times).toHaveLength(5);
});

test('tells a single time only once', async () => {
  const start_time = Math.floor(Date.now() / 1000) + 3600;
  const data = await api.call('preview', { type: 1, start_time, time_zone: 'UTC' });
  expect(data).toEqual({
    time_zone: 'UTC',
    times: [new Date(start_time * 1000).toISOString().replace('.000Z', '+00:00')],
  });
});

test.each<[object, number, string | RegExp]>([
  [{ start_time: '0 75 * * * *' }, 3, /^start_time: .*75/],
  [{ start_time: '0 0 0 30 2 *' }, 3, 'start_time: such a time never comes'],
  [{ type: 1, start_time: 1_000_000_000 }, 3, 'start_time: lies in the past'],
  [{ start_time: '* * * * * *', time_zone: 'Mars/Olympus' }, 3, /^time_zone: /],
  [{ type: 5, start_time: '0 30 9 * * *' }, 2, /^type: /],
  [{ type: 9, start_time: '* * * * * *' }, 2, 'type: expected a number from 1 to 7'],
  [{ start_time: [] }, 3, 'start_time: expected a timestamp or cron fields'],
  [{ start_time: '* * * * * *', count: 101 }, 1, /^count: /],
  [{}, 3, /^start_time: /],
])('%j is refused with its state', async (request, state, msg) => {
  expect(await api.ask('preview', request)).toEqual({
    status: 400,
    reply: { state, msg: typeof msg === 'string' ? msg : expect.stringMatching(msg), data: {} },
  });
});

test('stores nothing', async () => {
  await api.call('preview', { start_time: '* * * * * *' });
  expect((await api.call('listTask', {})).task_list).toEqual([]);
});
