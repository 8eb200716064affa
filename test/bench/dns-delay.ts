// The delay that the engine measures at a pace, beside what dnsperf measures.
import { preparePeer } from './contenders/missing-peer.ts';
import { startNameAsker, verifyPace } from './contenders/name-asker.ts';
import { checkDnsperf, prepareDnsperf } from './contenders/run-dnsperf.ts';
import { type Bench, type Findings, verify } from './harness/bench.ts';
import { figureOf, type Target, takeTurns } from './harness/compare.ts';
import { quantile } from './harness/statistics.ts';

const perSecond = 5000;
const load = { kind: 'paced', perSecond } as const;
const warmUpSeconds = 2;
const peer = `dnsperf -Q ${perSecond}`;

/** Of one contender: the delays of each round, and how many queries had no answer. */
type Delays = { rounds: number[][]; lost: number };

export const dnsDelay: Bench = {
  name: 'dns-delay',
  summary: 'measured delay at 5,000 queries a second, beside dnsperf’s',

  async run(context) {
    const { isQuick, platform } = context;
    const server = await platform.nameServer();
    const dnsperf = await preparePeer('dnsperf', context, () => prepareDnsperf(server));
    const engine = await startNameAsker(context, 'ask-engine', server);
    await engine.ask(load, warmUpSeconds);

    const ours: Delays = { rounds: [], lost: 0 };
    const theirs: Delays = { rounds: [], lost: 0 };
    const lag: { p99: number[]; worst: number[] } = { p99: [], worst: [] };
    const seconds = isQuick ? 2 : 6;
    async function measureEngine(): Promise<void> {
      const answers = await engine.ask(load, seconds);
      const { asked, answered, failures, sent, delaysMs, lagMs } = answers;
      verifyPace(answers, { perSecond, seconds });
      verify(answered === asked, `the engine: ${JSON.stringify(failures)} of ${asked}`);
      verify(lagMs !== null && sent !== null, 'the engine tells too little');
      ours.rounds.push(delaysMs);
      ours.lost += sent - answered;
      lag.p99.push(lagMs.p99);
      lag.worst.push(lagMs.worst);
    }
    const turns = [measureEngine];
    if (dnsperf !== undefined) {
      turns.push(async () => {
        const run = await dnsperf.run({ seconds, perSecond });
        checkDnsperf(run);
        verify(run.delaysMs.length === run.completed, `${run.delaysMs.length} delays of ${run.completed}`);
        theirs.rounds.push(run.delaysMs);
        theirs.lost += run.lost;
      });
    }
    await takeTurns(isQuick ? 3 : 7, turns);

    const hasPeer = dnsperf !== undefined;
    const besideOf = (samples: number[]) => (hasPeer ? { peer, samples } : undefined);
    const compare = (metric: string, share: number, target?: Target): Findings['figures'][number] => {
      const at = ({ rounds }: Delays) => rounds.map((round) => quantile(round, share));
      const samples = { ours: at(ours), beside: besideOf(at(theirs)) };
      return figureOf({ metric, unit: 'ms', ...samples, ...(target && { target }) });
    };
    const apart = ours.rounds.map((round, index) =>
      Math.abs(quantile(round, 0.5) - quantile(theirs.rounds[index] ?? [], 0.5)),
    );
    const apartFigure = figureOf({
      metric: 'delay p50, apart from dnsperf’s',
      unit: 'ms',
      ours: apart,
      target: { of: 'ours', atMost: 0.15 },
    });
    return {
      figures: [
        compare('delay p50', 0.5),
        ...(hasPeer ? [apartFigure] : []),
        compare('delay p90', 0.9),
        compare('delay p99', 0.99, { of: 'ours', atMost: 2 }),
        figureOf({ metric: 'event-loop lag p99', unit: 'ms', ours: lag.p99 }),
        figureOf({ metric: 'event-loop lag, worst', unit: 'ms', ours: lag.worst }),
        figureOf({ metric: 'lost', unit: 'queries', ours: [ours.lost], beside: besideOf([theirs.lost]) }),
      ],
    };
  },
};
