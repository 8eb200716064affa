// An event loop that stood still: what arrived meanwhile counts, and our own fault is not the server's.
import { expect, onTestFinished, test } from 'vitest';
import { createStallClock } from '../../../../infra/stall-clock.ts';
import { type ScriptedQuery, textReply } from '../../../helpers/scripted-dns-server.ts';
import { ask, engineFor, serverFor, stallEventLoop } from './engine-setup.ts';

test('200 replies that wait in one socket are all read before any query is given up', async () => {
  const held: ScriptedQuery[] = [];
  const server = await serverFor((query) => {
    held.push(query);
    if (held.length < 200) return;
    for (const each of held) each.send(textReply(each));
    // The datagrams leave at the end of this turn, the stall comes right after it.
    setImmediate(() => stallEventLoop(1_000));
  });
  const engine = engineFor({ socketsPerServer: 1, maxInFlightPerServer: 200 });
  const deadlineAt = performance.now() + 1_000;
  const asked = Array.from({ length: 200 }, () => ask(engine, server.target('udp'), { deadlineAt }));
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set(['NOERROR']));
  expect(performance.now()).toBeGreaterThan(deadlineAt);
});

test('a second try is not sent after the deadline', async () => {
  const server = await serverFor(() => setImmediate(() => stallEventLoop(300)));
  const engine = engineFor();
  const resolution = await ask(engine, server.target('udp'), { budgetMs: 200 });
  // The server had had the query since long before the stall.
  expect(resolution).toMatchObject({ status: 'TIMEOUT', tries: 1 });
  expect(engine.stats().sent).toBe(1);
});

test('a refusal that is read after the deadline brings no further try', async () => {
  const server = await serverFor(() => undefined);
  const target = server.target('udp');
  await server.stop();
  const engine = engineFor();
  const asked = ask(engine, target, { budgetMs: 200 });
  // Runs after the query was sent, in the turn that sent it.
  setImmediate(() => stallEventLoop(300));
  expect(await asked).toMatchObject({ status: 'CONN_REFUSED', tries: 1 });
  expect(engine.stats().sent).toBe(1);
});

test('a query that a stall kept from leaving is AGENT_OVERLOADED, not the silence of the server', async () => {
  const server = await serverFor(() => undefined);
  const asked = ask(engineFor(), server.target('tcp'), { budgetMs: 200 });
  // The connection was begun before the stall and is found established after it.
  setImmediate(() => stallEventLoop(400));
  expect(await asked).toMatchObject({ status: 'AGENT_OVERLOADED', delayMs: null });
});

test('a delay that was measured across a stall is marked, others are not', async () => {
  const stallClock = createStallClock();
  await stallClock.start();
  onTestFinished(() => stallClock.stop());
  const server = await serverFor((query) => {
    query.send(textReply(query));
    if (query.name === 'stalled.example') setImmediate(() => stallEventLoop(400));
  });
  const engine = engineFor({ stalledMs: stallClock.stalledMs });
  const before = await ask(engine, server.target('udp'));
  const across = await ask(engine, server.target('udp'), { name: 'stalled.example' });
  const after = await ask(engine, server.target('udp'));
  expect([before.lagMs, after.lagMs]).toEqual([0, 0]);
  expect(across.delayMs).toBeGreaterThanOrEqual(400);
  expect(across.lagMs).toBeGreaterThan(350);
  expect(across.lagMs).toBeLessThanOrEqual(across.delayMs ?? 0);
});
