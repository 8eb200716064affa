// How often the system is asked for an address.
import { expect, test } from 'vitest';
import { createHostResolver } from '../../../../services/crontab/callback/resolve-host.ts';

test('a name is asked for once while its addresses are fresh', async () => {
  const resolveHost = createHostResolver();
  const first = resolveHost('localhost');
  expect(resolveHost('localhost')).toBe(first);
  expect((await first).map(({ address }) => address)).toContain('127.0.0.1');
  expect(resolveHost('localhost')).toBe(first);
});

test('a name that could not be resolved is asked for again', async () => {
  const resolveHost = createHostResolver();
  const first = resolveHost('no-such-host.invalid');
  expect(resolveHost('no-such-host.invalid')).toBe(first);
  await expect(first).rejects.toThrow();
  const second = resolveHost('no-such-host.invalid');
  expect(second).not.toBe(first);
  await expect(second).rejects.toThrow();
});
