// The delay that the engine measures at a pace, beside what dnsperf measures.

import { startNameAsker } from './contenders/name-asker.ts';
import { checkDnsperf, prepareDnsperf } from './contenders/run-dnsperf.ts';
import { type Bench, type Findings, verify } from './harness/bench.ts';
import { figureOf, type Target, takeTurns } from './harness/compare.ts';
import { quantile } from './harness/statistics.ts';

const perSecond = 5000;
const load = { kind: 'paced', perSecond } as const;
const warmUpSeconds = 2;
const peer = `dnsperf -Q ${perSecond}`;

export const dnsDelay: Bench = {
  name: 'dns-delay',
  summary: 'measured delay at 5,000 queries a second, beside dnsperf’s',

  async run(context) {
    const { isQuick, platform, keep } = context;
    const server = await platform.nameServer();
    const dnsperf = keep(await prepareDnsperf(server));
    const engine = await startNameAsker(context, 'ask-engine', server);
    await engine.ask(load, warmUpSeconds);

    const ours: number[][] = [];
    const theirs: number[][] = [];
    const lag = { p99: [] as number[], worst: [] as number[] };
    const seconds = isQuick ? 2 : 6;
    await takeTurns(isQuick ? 3 : 7, [
      async () => {
        const { asked, answered, failures, delaysMs, lagMs } = await engine.ask(load, seconds);
        verify(asked === perSecond * seconds, `${asked} queries in ${seconds} s`);
        verify(answered === asked, `the engine: ${JSON.stringify(failures)} of ${asked}`);
        ours.push(delaysMs);
        lag.p99.push(lagMs?.p99 ?? Number.NaN);
        lag.worst.push(lagMs?.worst ?? Number.NaN);
      },
      async () => {
        const run = await dnsperf.run({ seconds, perSecond });
        checkDnsperf(run);
        verify(run.delaysMs.length === run.completed, `${run.delaysMs.length} delays of ${run.completed}`);
        theirs.push(run.delaysMs);
      },
    ]);

    const compare = (metric: string, share: number, target?: Target): Findings['figures'][number] => {
      const at = (rounds: number[][]) => rounds.map((round) => quantile(round, share));
      const beside = { peer, samples: at(theirs) };
      return figureOf({ metric, unit: 'ms', ours: at(ours), beside, ...(target && { target }) });
    };
    return {
      figures: [
        compare('delay p50', 0.5, { of: 'difference', atMost: 0.15 }),
        compare('delay p90', 0.9),
        compare('delay p99', 0.99, { of: 'ours', atMost: 2 }),
        figureOf({ metric: 'event-loop lag p99', unit: 'ms', ours: lag.p99 }),
        figureOf({ metric: 'event-loop lag, worst', unit: 'ms', ours: lag.worst }),
      ],
    };
  },
};
