// One name, one server, one agent: the whole call, beside bare NATS and a bare query.
import { randomUUID } from 'node:crypto';
import type { Order, OrderReply } from '../../contracts/agent.ts';
import { subjects } from '../../contracts/subjects.ts';
import { readMetric } from '../helpers/read-metric.ts';
import { type ChainSizes, startBareChains } from './contenders/bare-chain.ts';
import { type Caller, startCaller } from './contenders/caller.ts';
import { agentEnv, domain, expectedReply, requestBody } from './contenders/one-call.ts';
import { type Bench, verify } from './harness/bench.ts';
import { figureOf, takeTurns } from './harness/compare.ts';
import { zoneAddress } from './harness/platform.ts';
import { quantile } from './harness/statistics.ts';

const inFlight = 64;
/** V8 has compiled by then what every call runs through. */
const warmUpCalls = 10_000;
const floor = 'two bare NATS request-replies, one bare query';
const emptyFloor = 'two bare NATS request-replies, no query';

/** Of one contender, a value a round. */
type Samples = { p50: number[]; p99: number[]; perSecond: number[] };

export const oneShot: Bench = {
  name: 'one-shot',
  summary: 'one call of one agent for one name of one server, beside two nested bare NATS request-replies',

  async run(context) {
    const { isQuick, platform, startService, keep } = context;
    const server = await platform.nameServer();
    const natsUrl = await platform.natsUrl();
    const agent = await startService('agent', { NATS_URL: natsUrl, ...agentEnv });
    const database = keep(await platform.createDatabase());
    await startService('gateway', { NATS_URL: natsUrl, DATABASE_URL: database.url });
    const sizes = sizesOf(`${server.address}:${server.port}`);
    const chains = await startBareChains(context, { sizes, server, domain });
    const caller = await startCaller(context);

    const body = requestBody(server);
    const bareReply = 'x'.repeat(sizes.reply);
    const contenders = [
      { samples: newSamples(), subject: subjects.oneShoot, reply: expectedReply },
      { samples: newSamples(), subject: chains.withQuery, reply: bareReply },
      { samples: newSamples(), subject: chains.withoutQuery, reply: bareReply },
    ];
    const counts = isQuick ? { sequential: 500, concurrent: 6000 } : { sequential: 2000, concurrent: 20_000 };
    const rounds = isQuick ? 3 : 5;
    for (const { subject } of contenders) await caller.call({ subject, body, count: warmUpCalls, inFlight });

    const sentBefore = await readMetric(agent.metricsUrl, 'probe_dns_sent_total');
    await takeTurns(
      rounds,
      contenders.map((contender) => () => measure(caller, { ...contender, body, ...counts })),
    );
    const sent = (await readMetric(agent.metricsUrl, 'probe_dns_sent_total')) - sentBefore;
    const asked = rounds * (counts.sequential + counts.concurrent);
    verify(sent >= asked, `${asked} calls were answered with ${sent} queries`);

    const [ours = newSamples(), withQuery = newSamples(), withoutQuery = newSamples()] = contenders.map(
      ({ samples }) => samples,
    );
    return {
      figures: [
        figureOf({
          metric: 'p50, one after the other',
          unit: 'ms',
          ours: ours.p50,
          beside: { peer: floor, samples: withQuery.p50 },
          target: { of: 'ratio', atMost: 2 },
        }),
        figureOf({
          metric: 'p99, one after the other',
          unit: 'ms',
          ours: ours.p99,
          beside: { peer: floor, samples: withQuery.p99 },
        }),
        figureOf({
          metric: `throughput, ${inFlight} in flight`,
          unit: 'calls/s',
          ours: ours.perSecond,
          beside: { peer: floor, samples: withQuery.perSecond },
          // Not on the chain below: half of what that does is about all that a chain does whose end asks one question.
          target: { of: 'ratio', atLeast: 0.5 },
        }),
        figureOf({
          metric: `throughput, ${inFlight} in flight`,
          unit: 'calls/s',
          ours: ours.perSecond,
          beside: { peer: emptyFloor, samples: withoutQuery.perSecond },
        }),
      ],
    };
  },
};

/** One round of one contender; what it replied is looked at when the clocks have stopped. */
async function measure(
  { call }: Caller,
  options: {
    samples: Samples;
    subject: string;
    body: string;
    reply: string;
    sequential: number;
    concurrent: number;
  },
): Promise<void> {
  const { samples, subject, body, reply, sequential, concurrent } = options;
  const single = await call({ subject, body, count: sequential });
  const many = await call({ subject, body, count: concurrent, inFlight });
  for (const [{ replies }, count] of [[single, sequential] as const, [many, concurrent] as const]) {
    const [only] = replies;
    const isRight = replies.length === 1 && only?.text === reply && only.count === count;
    verify(isRight, `${subject}: ${replies.map((each) => `${each.count} × ${each.text}`).join(', ')}`);
  }
  samples.p50.push(quantile(single.latenciesMs, 0.5));
  samples.p99.push(quantile(single.latenciesMs, 0.99));
  samples.perSecond.push(concurrent / (many.elapsedMs / 1000));
}

function newSamples(): Samples {
  return { p50: [], p99: [], perSecond: [] };
}

/** As long as ours are. */
function sizesOf(server: string): ChainSizes {
  const orderId = randomUUID();
  const order: Order = {
    order_id: orderId,
    budget_ms: 2500,
    servers: [server],
    targets: [{ domain, rtype: 'A' }],
  };
  const record = { name: `${domain}.`, ttl: 60, rdclass: 'IN', rdtype: 'A', result: zoneAddress };
  const outcomes: OrderReply = {
    kind: 'outcomes',
    order_id: orderId,
    outcomes: [
      {
        cell: 0,
        status: 'NOERROR',
        delay: 0.123,
        transport: 'udp',
        truncated: false,
        tries: 1,
        flags: ['aa', 'rd'],
        answer: [record],
        authority: [],
        additional: [],
      },
    ],
  };
  const octets = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
  return { order: octets(order), outcomes: octets(outcomes), reply: Buffer.byteLength(expectedReply) };
}
