// A long probe in parts, over a real bus, to a gateway that says what the test wants.
import { StringCodec } from 'nats';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ErrorCode, formatErrorReply, ProbeTaskError } from '../../../../contracts/errors.ts';
import { dnsJobReplySchema } from '../../../../contracts/job-api.ts';
import { oneShootVerboseRequestSchema, type VerboseRow } from '../../../../contracts/probe.ts';
import { rpcs } from '../../../../contracts/rpc.ts';
import { createProbeJob } from '../../../../services/job/probe/run-probe-job.ts';
import { startNatsServer, type TestNatsServer } from '../../../helpers/nats.ts';
import { connectTestClient, type TestClient, until } from '../../../helpers/test-client.ts';

const text = StringCodec();
const never = new AbortController().signal;
let nats: TestNatsServer;
let client: TestClient;
beforeAll(async () => {
  nats = await startNatsServer();
  client = await connectTestClient(nats.url);
});
afterAll(async () => {
  await client.stop();
  await nats.stop();
});

type Asked = { domains: string[]; servers: string[] };

/** Answers with a row for each server and domain, or with the error that `refuse` has for it. */
async function startGateway(refuse: (asked: Asked, number: number) => ErrorCode | 'silence' | undefined) {
  const asked: Asked[] = [];
  const subscription = client.raw.subscribe(rpcs.oneShootVerbose.subject, {
    callback(_error, message) {
      const request = oneShootVerboseRequestSchema.parse(JSON.parse(text.decode(message.data)));
      const domains = request.target.map(({ data }) => data);
      const servers = request.probe_data.dns_servers;
      const code = refuse({ domains, servers }, asked.push({ domains, servers }));
      if (code === 'silence') return;
      const results = servers.flatMap((server) => domains.map((domain) => rowOf(domain, server)));
      const body =
        code === undefined ? { results } : formatErrorReply(new ProbeTaskError(code, 'as the test says'));
      message.respond(text.encode(JSON.stringify(body)));
    },
  });
  onTestFinished(() => subscription.unsubscribe());
  await client.raw.flush();
  return asked;
}

function rowOf(domain: string, server: string) {
  const device = { country: '86', province: '1', city: '1', carrier: '1' };
  const sections = { answer_section: [], authority_section: [], additional_section: [] };
  return { domain, delay: 1, dns_response_status: 'NOERROR', dns_server: server, device, ...sections };
}

function requestOf(names: number, servers: string[]): Buffer {
  const target = Array.from({ length: names }, (_, index) => ({ type: 'domain', data: `n${index}.example` }));
  return Buffer.from(
    JSON.stringify({ target, probe_data: { dns_servers: servers }, regions: [[86, 1]], resp_timeout: 1 }),
  );
}

const run = (octets: Buffer, signal = never) => createProbeJob({ client, firstRetryMs: 1 })(octets, signal);

describe('a probe of more than fits into a call', () => {
  test('is asked for in parts that the gateway takes, and has all rows in the order of its targets', async () => {
    const servers = ['192.0.2.1', '192.0.2.2'];
    const asked = await startGateway(({ domains }) => (domains.length > 100 ? 'PLAN_TOO_LARGE' : undefined));
    const outcome = await run(requestOf(1000, servers));
    expect(outcome).toMatchObject({ ok: true });
    const { data } = dnsJobReplySchema.parse(outcome.ok && JSON.parse(outcome.result.toString()));
    const numberOf = ({ domain }: { domain: string }) => Number(/\d+/.exec(domain)?.[0]);
    const rows = Array.from({ length: 1000 }, (_, index) =>
      servers.map((server) => rowOf(`n${index}.example`, server)),
    );
    const byName = (one: VerboseRow, other: VerboseRow) => numberOf(one) - numberOf(other);
    expect(data.results.toSorted(byName)).toEqual(rows.flat());
    // Within each part as the gateway has them: server by server.
    let highest = 0;
    for (const row of data.results) {
      expect(numberOf(row)).toBeGreaterThan(highest - 100);
      highest = Math.max(highest, numberOf(row));
    }
    // What it learnt from the first refusals it keeps to.
    expect(asked.filter(({ domains }) => domains.length > 100).length).toBeLessThanOrEqual(6);
  });

  test('is cut by servers where it has one target, and fails where there is nothing to cut', async () => {
    await startGateway(({ servers }) => (servers.length > 1 ? 'PAYLOAD_TOO_LARGE' : undefined));
    const servers = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
    const outcome = await run(requestOf(1, servers));
    const results = servers.map((server) => rowOf('n0.example', server));
    expect(outcome.ok && JSON.parse(outcome.result.toString())).toEqual({ info: {}, data: { results } });
  });

  test('fails with what the gateway says of a single query', async () => {
    await startGateway(() => 'PLAN_TOO_LARGE');
    expect(await run(requestOf(3, ['192.0.2.1']))).toEqual({
      ok: false,
      info: 'PLAN_TOO_LARGE: as the test says',
    });
  });
});

describe('a part that is refused', () => {
  test('for a reason that passes is asked for again', async () => {
    const codes: (ErrorCode | undefined)[] = ['OVERLOADED', 'UNAVAILABLE'];
    const asked = await startGateway((_asked, number) => codes[number - 1]);
    expect(await run(requestOf(2, ['192.0.2.1']))).toMatchObject({ ok: true });
    expect(asked).toHaveLength(3);
  });

  test('for good ends all of it', async () => {
    const asked = await startGateway(({ domains }) =>
      domains.includes('n0.example') ? 'NO_AGENTS' : undefined,
    );
    expect(await run(requestOf(50_000, ['192.0.2.1']))).toEqual({
      ok: false,
      info: 'NO_AGENTS: as the test says',
    });
    expect(asked.length).toBeLessThan(50);
  });
});

describe('a probe that is cut', () => {
  test('ends in the middle of a call, and of a wait, of which it tells', async () => {
    const cut = new AbortController();
    const asked = await startGateway((_asked, number) => (number === 1 ? 'OVERLOADED' : 'silence'));
    const pending = run(requestOf(1, ['192.0.2.1']), cut.signal);
    await until(async () => asked.length === 2);
    cut.abort();
    expect(await pending).toEqual({ ok: false, info: 'OVERLOADED: as the test says' });
  });
});
