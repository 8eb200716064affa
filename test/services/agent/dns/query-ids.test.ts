// Query ids cannot be foretold, neither as they are drawn nor as they leave.
import { expect, test } from 'vitest';
import { createRandomIds } from '../../../../services/agent/dns/query-ids.ts';
import { textReply } from '../../../helpers/scripted-dns-server.ts';
import { ask, engineFor, serverFor } from './engine-setup.ts';

/** Fails for counters, narrow ranges and anything that stays near the number before; random numbers pass. */
function expectUnforeseeable(ids: readonly number[]): void {
  const sixteenths = new Set(ids.map((id) => id >> 12));
  expect(sixteenths.size).toBe(16);
  const near = ids.filter((id, index) => Math.abs(id - (ids[index - 1] ?? -1_000)) < 256);
  expect(near.length).toBeLessThan(ids.length / 20);
  expect(new Set(ids).size).toBeGreaterThan(ids.length * 0.9);
}

test('10,000 numbers cover the range without order', () => {
  const randomId = createRandomIds();
  const ids = Array.from({ length: 10_000 }, randomId);
  expectUnforeseeable(ids.slice(0, 1_000));
  expectUnforeseeable(ids.slice(4_000, 5_000));
  expect(Math.min(...ids)).toBeLessThan(200);
  expect(Math.max(...ids)).toBeGreaterThan(65_335);
});

test('two sources give different numbers', () => {
  const [first, second] = [createRandomIds(), createRandomIds()];
  expect(Array.from({ length: 10 }, first)).not.toEqual(Array.from({ length: 10 }, second));
});

test.each(['udp', 'tcp'] as const)(
  '1,000 queries over %s leave under unforeseeable ids',
  async (transport) => {
    const server = await serverFor((query) => query.send(textReply(query)));
    const engine = engineFor({ socketsPerServer: 1 });
    await Promise.all(Array.from({ length: 1_000 }, () => ask(engine, server.target(transport))));
    expectUnforeseeable(server.queries.map(({ packet }) => packet.id ?? 0));
  },
);
