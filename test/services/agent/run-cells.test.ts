// Cells through the engine: every one has its outcome, in the terms of the contract.
import { expect, onTestFinished, test } from 'vitest';
import type { Outcome } from '../../../contracts/agent.ts';
import { createMetrics } from '../../../infra/metrics.ts';
import { createDnsEngine } from '../../../services/agent/dns/engine.ts';
import { type CellGrid, createCellRunner } from '../../../services/agent/run-cells.ts';
import { type Script, startScriptedDnsServer, textReply } from '../../helpers/scripted-dns-server.ts';
import { stallEventLoop } from './dns/engine-setup.ts';

async function setUp(script: Script, maxInFlight = 10, stalledMs = () => 0) {
  const server = await startScriptedDnsServer(script);
  onTestFinished(() => server.stop());
  const engine = createDnsEngine({ maxInFlight, stalledMs, logger: { warn: () => undefined } });
  onTestFinished(() => engine.stop());
  const cells = createCellRunner({ engine, metrics: createMetrics() });
  const address = `${server.address}:${server.port}`;
  return {
    address,
    async run(grid: CellGrid, budgetMs: number): Promise<Outcome[]> {
      const outcomes: Outcome[] = [];
      await cells.run(grid, {
        deadlineAt: performance.now() + budgetMs,
        lane: 'test',
        onOutcome: (outcome) => outcomes.push(outcome),
      });
      return outcomes.sort((a, b) => a.cell - b.cell);
    },
  };
}

const target = (domain: string) => ({ domain, rtype: 'TXT' });

test('numbers the cells server by server', async () => {
  const { address, run } = await setUp((query) =>
    query.send(textReply(query, `${query.transport} ${query.name}`)),
  );
  const outcomes = await run(
    { servers: [address, `tcp://${address}`], targets: [target('a.example'), target('b.example')] },
    2_000,
  );
  expect(outcomes.map(({ cell, transport, answer }) => [cell, transport, answer[0]?.result])).toEqual([
    [0, 'udp', '"udp a.example"'],
    [1, 'udp', '"udp b.example"'],
    [2, 'tcp', '"tcp a.example"'],
    [3, 'tcp', '"tcp b.example"'],
  ]);
  for (const { delay } of outcomes) {
    expect(delay).toBeGreaterThan(0);
    expect(delay).toBe(Math.round((delay ?? 0) * 1000) / 1000);
  }
});

test('names no transport for a cell of which nothing was sent', async () => {
  const { address, run } = await setUp(() => undefined, 1);
  const outcomes = await run(
    { servers: [address], targets: [target('a.example'), target('b.example')] },
    150,
  );
  expect(outcomes).toMatchObject([
    { cell: 0, status: 'TIMEOUT', delay: null, transport: 'udp', tries: 2 },
    { cell: 1, status: 'AGENT_OVERLOADED', delay: null, transport: null, tries: 0 },
  ]);
});

test('counts what waits, without what is bound to a share', async () => {
  const server = await startScriptedDnsServer(() => undefined);
  onTestFinished(() => server.stop());
  const laneShares = new Map([['bound', 0.5]]);
  const engine = createDnsEngine({ maxInFlight: 4, laneShares, logger: { warn: () => undefined } });
  onTestFinished(() => engine.stop());
  const cells = createCellRunner({ engine, metrics: createMetrics() });
  const grid = {
    servers: [`${server.address}:${server.port}`],
    targets: Array.from({ length: 9 }, () => target('a.example')),
  };
  const deadlineAt = performance.now() + 60_000;
  const ran = ['bound', 'free'].map((lane) =>
    cells.run(grid, { deadlineAt, lane, onOutcome: () => undefined }),
  );
  await server.received(4);
  expect(engine.stats()).toMatchObject({ inFlight: 4, waiting: 14, waitingBound: 7 });
  expect(cells.waiting()).toBe(7);
  await engine.stop();
  await Promise.all(ran);
});

test('tells how much of a delay may be a standstill of its own, and says nothing where there was none', async () => {
  const stallAndAnswer: Script = (query) => {
    stallEventLoop(400);
    query.send(textReply(query));
  };
  const { address, run } = await setUp(stallAndAnswer, 10, () => 1000);
  const [stalled] = await run({ servers: [address], targets: [target('a.example')] }, 2_000);
  expect(stalled?.lag).toBeGreaterThan(0);
  expect(stalled?.lag).toBeLessThanOrEqual(stalled?.delay ?? 0);
  const ordinary = await setUp((query) => query.send(textReply(query)));
  const [outcome] = await ordinary.run(
    { servers: [ordinary.address], targets: [target('a.example')] },
    2_000,
  );
  expect(outcome).not.toHaveProperty('lag');
});

test('fails with the fault of whoever takes the outcomes, and the engine goes on', async () => {
  const server = await startScriptedDnsServer((query) => query.send(textReply(query)));
  onTestFinished(() => server.stop());
  const engine = createDnsEngine({ logger: { warn: () => undefined } });
  onTestFinished(() => engine.stop());
  const cells = createCellRunner({ engine, metrics: createMetrics() });
  const grid = {
    servers: [`${server.address}:${server.port}`],
    targets: [target('a.example'), target('b.example')],
  };
  const deadlineAt = performance.now() + 5_000;
  const onOutcome = () => {
    throw new Error('no room');
  };
  await expect(cells.run(grid, { deadlineAt, lane: 'test', onOutcome })).rejects.toThrow('no room');
  const outcomes: Outcome[] = [];
  await cells.run(grid, { deadlineAt, lane: 'test', onOutcome: (outcome) => outcomes.push(outcome) });
  expect(outcomes.map(({ status }) => status)).toEqual(['NOERROR', 'NOERROR']);
});

test('has nothing to wait for without targets', async () => {
  const { address, run } = await setUp(() => undefined);
  expect(await run({ servers: [address], targets: [] }, 2_000)).toEqual([]);
});
