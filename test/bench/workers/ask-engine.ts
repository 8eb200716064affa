// Asks names through the agent's DNS engine, with places and sockets as dnsperf has them, and looks at every answer.
import { encodeDomainName } from '../../../contracts/domain-name.ts';
import { createStallClock } from '../../../infra/stall-clock.ts';
import { createDnsEngine, type Resolution } from '../../../services/agent/dns/engine.ts';
import { askNames } from '../contenders/ask-names.ts';
import { askSchema } from '../contenders/name-asker.ts';
import { serveWork } from '../harness/serve-work.ts';

// As `dnsperf -c 10 -q 200`: what is in flight, and over how many sockets.
const maxInFlightPerServer = 200;
const socketsPerServer = 10;
const addressType = 1;
/** A query that is lost shows as a second try well within it. */
const budgetMs = 3000;
/** So many names have one deadline, as the cells of an order have. */
const namesPerDeadline = 64;
const lane = 'bench';

const stallClock = createStallClock();
await stallClock.start();
const engine = createDnsEngine({
  stalledMs: stallClock.stalledMs,
  maxInFlight: 1024,
  maxInFlightPerServer,
  socketsPerServer,
  logger: { warn: (fields, text) => process.stderr.write(`${text} ${JSON.stringify(fields)}\n`) },
});

serveWork(
  askSchema,
  async ({ server, names, address, load, seconds }) => {
    const questions = names.map((text) => ({
      query: { server, name: wireOf(text), rtype: addressType },
      owner: `${text}.`,
    }));
    const sentBefore = engine.stats().sent;
    let deadlineAt = 0;
    const answers = await askNames({ load, seconds, nameCount: names.length }, (index, done) => {
      const question = questions[index];
      if (question === undefined) throw new Error(`there is no name ${index}`);
      const { query, owner } = question;
      if (index % namesPerDeadline === 0) deadlineAt = performance.now() + budgetMs;
      engine.resolve(query, { deadlineAt, lane }, (resolution) => {
        const fault = faultOf(resolution, owner, address);
        done({ fault, delayMs: resolution.delayMs ?? 0 });
      });
    });
    return { ...answers, sent: engine.stats().sent - sentBefore };
  },
  async () => {
    await engine.stop();
    await stallClock.stop();
  },
);

function wireOf(name: string): Uint8Array {
  const encoded = encodeDomainName(name);
  if (!encoded.ok) throw new Error(encoded.reason);
  return encoded.wire;
}

function faultOf({ status, answer, transport }: Resolution, owner: string, address: string): string | null {
  if (status !== 'NOERROR') return status;
  const [record] = answer;
  const isRight =
    answer.length === 1 &&
    record?.result === address &&
    record.name === owner &&
    record.rdtype === 'A' &&
    record.rdclass === 'IN' &&
    record.ttl === 60;
  if (!isRight) return `wrong answer ${JSON.stringify(answer)}`;
  return transport === 'udp' ? null : `over ${transport}`;
}
