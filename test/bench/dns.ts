// The DNS engine at full load and at a pace, beside dnsperf, Node's dns.Resolver and zdns.
import { preparePeer } from './contenders/missing-peer.ts';
import { type Answers, type NameAsker, startNameAsker, verifyPace } from './contenders/name-asker.ts';
import { checkDnsperf, prepareDnsperf } from './contenders/run-dnsperf.ts';
import { prepareZdns } from './contenders/run-zdns.ts';
import { type Bench, type Findings, verify } from './harness/bench.ts';
import { figureOf, type Target, takeTurns } from './harness/compare.ts';

/** Keeps all 200 places of the engine taken: those without one wait for the next. */
const engineLoad = { kind: 'full', inFlight: 400 } as const;
const resolverLoads = [50, 100, 200, 400].map((inFlight) => ({ kind: 'full', inFlight }) as const);
const pacedLoad = { kind: 'paced', perSecond: 20_000 } as const;
/**
 * Before the first round, and before each: code is compiled while it runs, and a process that stood idle while others
 * ran takes a while to be fast again.
 */
const warmUpSeconds = { quick: 2, full: 3 };
const leadInSeconds = 0.5;
const trialSeconds = { quick: 0.3, full: 0.5 };

/** One sample a round; processor time for each name, where it can be told. */
type Rates = { perSecond: number[]; cpuMicros: number[] };

export const dns: Bench = {
  name: 'dns',
  summary: 'the engine’s names a second and processor time, beside dnsperf, dns.Resolver and zdns',

  async run(context) {
    const { isQuick, platform, report } = context;
    const length = isQuick ? 'quick' : 'full';
    const server = await platform.nameServer();
    const dnsperf = await preparePeer('dnsperf', context, () => prepareDnsperf(server));
    const zdns = await preparePeer('zdns', context, () => prepareZdns(server));
    const engine = await startNameAsker(context, 'ask-engine', server);
    const resolver = await startNameAsker(context, 'ask-resolver', server);
    await engine.ask(engineLoad, warmUpSeconds[length]);
    await resolver.ask({ kind: 'full', inFlight: 200 }, warmUpSeconds[length]);
    const resolverLoad = await findBestLoad(resolver, trialSeconds[length]);
    report(`dns.Resolver has ${resolverLoad.inFlight} names in flight, which suits it best`);

    const ours = createRates();
    const beside = { dnsperf: createRates(), resolver: createRates(), zdns: createRates() };
    const lost = { ours: 0, dnsperf: 0, paced: 0 };
    const seconds = isQuick ? 1 : 3;
    await takeTurns(isQuick ? 3 : 7, [
      async () => {
        await engine.ask(engineLoad, leadInSeconds);
        const answers = await engine.ask(engineLoad, seconds);
        lost.ours += countLost('the engine', answers);
        addRate(ours, answers);
      },
      async () => {
        if (dnsperf === undefined) return;
        const run = await dnsperf.run({ seconds });
        checkDnsperf(run);
        lost.dnsperf += run.lost;
        addRate(beside.dnsperf, { ...run, answered: run.completed });
      },
      async () => {
        await resolver.ask(resolverLoad, leadInSeconds);
        const answers = await resolver.ask(resolverLoad, seconds);
        countLost('dns.Resolver', answers);
        addRate(beside.resolver, answers);
      },
      async () => {
        if (zdns === undefined) return;
        const run = await zdns.run(isQuick ? 20_000 : 100_000);
        verify(run.answered === run.asked, `zdns: ${run.answered} right answers to ${run.asked} names`);
        addRate(beside.zdns, run);
      },
    ]);
    const pacedSeconds = isQuick ? 2 : 5;
    for (let round = 0; round < (isQuick ? 1 : 2); round += 1) {
      const answers = await engine.ask(pacedLoad, pacedSeconds);
      verifyPace(answers, { perSecond: pacedLoad.perSecond, seconds: pacedSeconds });
      lost.paced += countLost('the engine', answers);
    }

    const lostOf = (metric: string, count: number) => ({ metric, unit: 'queries', ours: [count] });
    return {
      figures: [
        ...compareRates(ours, beside.resolver, 'dns.Resolver', { of: 'ratio', atLeast: 1.25 }),
        ...(dnsperf === undefined
          ? []
          : compareRates(ours, beside.dnsperf, 'dnsperf -T 1', { of: 'ratio', atLeast: 0.6 })),
        ...(zdns === undefined ? [] : compareRates(ours, beside.zdns, 'zdns, its start included')),
        figureOf({
          ...lostOf('lost at full load', lost.ours),
          beside: dnsperf && { peer: 'dnsperf -T 1', samples: [lost.dnsperf] },
        }),
        figureOf({ ...lostOf('lost at 20,000 names/s', lost.paced), target: { of: 'ours', atMost: 0 } }),
      ],
    };
  },
};

/** Each contender at its best: what keeps one busy only makes the names of another wait. */
async function findBestLoad(asker: NameAsker, seconds: number): Promise<(typeof resolverLoads)[number]> {
  let best = { load: resolverLoads[0], perSecond: 0 };
  for (const load of resolverLoads) {
    const { answered, elapsedMs } = await asker.ask(load, seconds);
    const perSecond = (answered * 1000) / elapsedMs;
    if (perSecond > best.perSecond) best = { load, perSecond };
  }
  if (best.load === undefined) throw new Error('no load was tried');
  return best.load;
}

/** Tries that had no answer in time. Throws unless each name had one end, and every answer was the right one. */
function countLost(who: string, { asked, answered, failures, sent }: Answers): number {
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  verify(answered > 0, `${who} had no answer: ${JSON.stringify(failures)}`);
  verify(asked === answered + failed, `${who}: ${asked - answered - failed} of ${asked} names had no end`);
  const wrong = Object.keys(failures).filter((fault) => !isLoss(fault));
  verify(wrong.length === 0, `${who}: ${wrong[0]}`);
  return (sent ?? asked) - answered;
}

function isLoss(fault: string): boolean {
  return fault === 'TIMEOUT' || fault === 'ETIMEOUT';
}

function createRates(): Rates {
  return { perSecond: [], cpuMicros: [] };
}

function addRate(
  { perSecond, cpuMicros }: Rates,
  run: { answered: number; elapsedMs: number; cpuMs: number | null },
): void {
  perSecond.push((run.answered * 1000) / run.elapsedMs);
  if (run.cpuMs !== null) cpuMicros.push((run.cpuMs * 1000) / run.answered);
}

function compareRates(ours: Rates, beside: Rates, peer: string, target?: Target): Findings['figures'] {
  const rate = figureOf({
    metric: `names/s beside ${peer}`,
    unit: 'names/s',
    ours: ours.perSecond,
    beside: { peer, samples: beside.perSecond },
    ...(target && { target }),
  });
  const cost = figureOf({
    metric: `CPU per name beside ${peer}`,
    unit: 'µs',
    ours: ours.cpuMicros,
    beside: beside.cpuMicros.length === 0 ? undefined : { peer, samples: beside.cpuMicros },
  });
  return [rate, cost];
}
