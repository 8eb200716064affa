// What a one-shot call cannot do without: two nested request-replies of bare NATS, and one bare query over UDP.
import { z } from 'zod';
import type { DnsServer } from '../../../contracts/dns-server.ts';
import type { BenchContext } from '../harness/bench.ts';

/** Octets of the messages on the way: gateway to agent, agent to gateway, gateway to caller. */
export type ChainSizes = { order: number; outcomes: number; reply: number };

/** Subjects of the two chains; each replies with so many `x`. */
export type BareChains = { withQuery: string; withoutQuery: string };

/** Starts a relay and two ends, each a process of its own: one end asks the server for the name, the other nobody. */
export async function startBareChains(
  { platform, startWorker }: Pick<BenchContext, 'platform' | 'startWorker'>,
  options: { sizes: ChainSizes; server: DnsServer; domain: string },
): Promise<BareChains> {
  const { sizes, server, domain } = options;
  const natsUrl = await platform.natsUrl();
  const asking = await startWorker('query-subject');
  await asking.run(
    {
      natsUrl,
      subject: 'bench.end.asking',
      octets: sizes.outcomes,
      server: { address: server.address, port: server.port },
      domain,
    },
    z.unknown(),
  );
  const answering = await startWorker('answer-subject');
  await answering.run({ natsUrl, subject: 'bench.end.answering', octets: sizes.outcomes }, z.unknown());

  const relay = await startWorker('relay-subject');
  async function relayTo(next: string, subject: string): Promise<string> {
    const octets = { orderOctets: sizes.order, replyOctets: sizes.reply };
    await relay.run({ natsUrl, subject, next, ...octets }, z.unknown());
    return subject;
  }
  return {
    withQuery: await relayTo('bench.end.asking', 'bench.chain.asking'),
    withoutQuery: await relayTo('bench.end.answering', 'bench.chain.answering'),
  };
}
