// Timed callbacks: how late they are, how many a second beside bare requests, and what stored tasks cost while none is due.
import { Client } from 'pg';
import { type CallRate, createCallbackBacklog } from './contenders/callback-backlog.ts';
import { startCallbackSink } from './contenders/callback-sink.ts';
import { startCrontab } from './contenders/crontab-service.ts';
import { type IdleCrontab, measureIdleCrontabs } from './contenders/idle-crontab.ts';
import { measurePunctualCalls, type PunctualCalls } from './contenders/punctual-calls.ts';
import type { Bench, Figure } from './harness/bench.ts';
import { figureOf, type Target, takeTurns } from './harness/compare.ts';
import { quantile } from './harness/statistics.ts';

const sizes = {
  full: {
    seconds: 60,
    rounds: 5,
    calls: 20_000,
    idle: { rounds: 25, turns: 100, processRounds: 5, secondsPerRound: 4 },
  },
  quick: {
    seconds: 8,
    rounds: 2,
    calls: 4000,
    idle: { rounds: 5, turns: 30, processRounds: 2, secondsPerRound: 0.5 },
  },
};
/** Of the service, the loop and the sink: code is compiled while it runs, also before the calls that are timed. */
const warmUpCalls = 6000;
const fewTasks = 10;
const manyTasks = 100_000;
const floor = 'bare undici.request loop';

export const crontab: Bench = {
  name: 'crontab',
  summary:
    '1,000 callbacks every second; as many at once as it can, beside undici; an idle tick with 100,000 tasks',

  async run(context) {
    const { isQuick, platform, keep } = context;
    const size = sizes[isQuick ? 'quick' : 'full'];
    const database = keep(await platform.createDatabase());
    const client = new Client({ connectionString: database.url });
    await client.connect();
    keep({ stop: () => client.end() });
    const sink = await startCallbackSink(context);
    const replica = await startCrontab(context, database.url);

    const backlog = await createCallbackBacklog(context, replica, sink, client);
    await backlog.drain(warmUpCalls);
    await backlog.request(warmUpCalls);
    const punctual = await measurePunctualCalls(replica, sink, client, size.seconds);
    const ours: CallRate[] = [];
    const bare: CallRate[] = [];
    await takeTurns(size.rounds, [
      async () => void ours.push(await backlog.drain(size.calls)),
      async () => void bare.push(await backlog.request(size.calls)),
    ]);
    await replica.service.stop();
    const idle = await measureIdleCrontabs(context, [fewTasks, manyTasks], size.idle);
    return {
      figures: [...describePunctual(punctual), ...describeRates(ours, bare), ...describeIdle(idle)],
    };
  },
};

function describePunctual({ atSink, atBegin, cpuUs }: PunctualCalls): Omit<Figure, 'bench'>[] {
  return [
    figureOf({ metric: 'lateness at the sink, p50', unit: 'ms', ours: [quantile(atSink, 0.5)] }),
    figureOf({
      metric: 'lateness at the sink, p99',
      unit: 'ms',
      ours: [quantile(atSink, 0.99)],
      target: { of: 'ours', atMost: 250 },
    }),
    figureOf({ metric: 'lateness at the sink, worst', unit: 'ms', ours: [quantile(atSink, 1)] }),
    figureOf({ metric: 'lateness at the beginning, p99', unit: 'ms', ours: [quantile(atBegin, 0.99)] }),
    figureOf({ metric: 'CPU of the service per timed callback', unit: 'µs', ours: [cpuUs] }),
  ];
}

function describeRates(ours: readonly CallRate[], bare: readonly CallRate[]): Omit<Figure, 'bench'>[] {
  function compare(metric: string, unit: string, read: (rate: CallRate) => number, target?: Target) {
    const beside = { peer: floor, samples: bare.map(read) };
    return figureOf({ metric, unit, ours: ours.map(read), beside, ...(target && { target }) });
  }
  return [
    compare('callbacks due at once, logged', 'calls/s', ({ perSecond }) => perSecond, {
      of: 'ratio',
      atLeast: 0.5,
    }),
    compare('CPU per callback', 'µs', ({ cpuUs }) => cpuUs),
    compare('load of the sink', '% of a core', ({ sinkLoad }) => sinkLoad),
  ];
}

function describeIdle([few, many]: readonly IdleCrontab[]): Omit<Figure, 'bench'>[] {
  if (few === undefined || many === undefined) throw new Error('nothing was measured');
  const peer = `${fewTasks} tasks`;
  const metric = `${manyTasks.toLocaleString('en-US')} tasks`;
  return [
    figureOf({
      metric: `idle tick, ${metric}`,
      unit: 'ms',
      ours: many.turnMs,
      beside: { peer, samples: few.turnMs },
      target: { of: 'ratio', atMost: 1.25 },
    }),
    figureOf({
      metric: `idle CPU of the service, ${metric}`,
      unit: 'ms/s',
      ours: many.cpuMs,
      beside: { peer, samples: few.cpuMs },
    }),
  ];
}
