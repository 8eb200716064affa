// A real agent process on a real bus, asking scripted DNS servers, with the test in the place of the gateway.
import { randomUUID } from 'node:crypto';
import { connect, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  type Heartbeat,
  heartbeatSchema,
  maxOutcomeMessageOctets,
  type Order,
  type OrderReply,
  type Outcome,
  orderReplySchema,
  outcomeSchema,
} from '../../../contracts/agent.ts';
import { internalSubjects, orderSubject } from '../../../contracts/subjects.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';
import { runService, spawnService, type TestService } from '../../helpers/processes.ts';
import {
  replyTo,
  type Script,
  type ScriptedDnsServer,
  startScriptedDnsServer,
} from '../../helpers/scripted-dns-server.ts';
import { readMetric, until } from '../../helpers/test-client.ts';

const agentEnv = {
  AGENT_ID: 'one',
  AGENT_COUNTRY: '86',
  AGENT_PROVINCE: '440000',
  AGENT_CITY: '440400',
  AGENT_CARRIER: '电信',
  AGENT_GROUPS: '3,4',
  AGENT_RESOLVERS: '192.0.2.53,tcp://[2001:db8::53]:5353',
};

let nats: TestNatsServer;
let bus: NatsConnection;

beforeAll(async () => {
  nats = await startNatsServer();
  bus = await connect({ servers: nats.url });
});
afterAll(async () => {
  await bus.close();
  await nats.stop();
});

async function startAgent(env: Record<string, string> = {}): Promise<TestService> {
  return keepUntilTestEnd(await spawnService('agent', { NATS_URL: nats.url, ...agentEnv, ...env }));
}

async function startDns(script: Script): Promise<{ server: ScriptedDnsServer; text: string }> {
  const server = keepUntilTestEnd(await startScriptedDnsServer(script));
  return { server, text: `${server.address}:${server.port}` };
}

type SentOrder = {
  messages: OrderReply[];
  sizes: number[];
  outcomes: Outcome[];
  /** Resolves when so many outcomes, refusals or whole sets of parts are there. */
  received(count: number): Promise<void>;
};

async function sendOrder(
  change: Partial<Order> & Pick<Order, 'servers'>,
  agentId = 'one',
  connection = bus,
): Promise<SentOrder> {
  const order: Order = {
    order_id: randomUUID(),
    budget_ms: 3000,
    targets: [{ domain: 'x.example', rtype: 'A' }],
    ...change,
  };
  const sent: SentOrder = { messages: [], sizes: [], outcomes: [], received: () => Promise.resolve() };
  const parts: string[] = [];
  let wanted = { count: Number.POSITIVE_INFINITY, resolve: () => undefined as undefined };
  const inbox = `_INBOX.test.${order.order_id}`;
  connection.subscribe(inbox, {
    callback: (_error, message) => {
      sent.sizes.push(message.data.length);
      const reply = orderReplySchema.parse(message.json());
      sent.messages.push(reply);
      if (reply.kind === 'outcomes') sent.outcomes.push(...reply.outcomes);
      if (reply.kind === 'fragment') {
        parts[reply.part] = reply.text;
        if (Object.keys(parts).length === reply.parts)
          sent.outcomes.push(outcomeSchema.parse(JSON.parse(parts.join(''))));
      }
      if (sent.outcomes.length >= wanted.count) wanted.resolve();
    },
  });
  sent.received = (count) =>
    new Promise((resolve) => {
      wanted = { count, resolve: () => void resolve() };
      if (sent.outcomes.length >= count) resolve();
    });
  connection.publish(orderSubject(agentId), JSON.stringify(order), { reply: inbox });
  await connection.flush();
  return sent;
}

function nextHeartbeat(): Promise<Heartbeat> {
  return new Promise((resolve) => {
    bus.subscribe(internalSubjects.heartbeat, {
      max: 1,
      callback: (_error, message) => resolve(heartbeatSchema.parse(message.json())),
    });
  });
}

const answerA: Script = (query) =>
  query.send(replyTo(query, { answers: [{ type: 'A', name: query.name, ttl: 60, data: '192.0.2.1' }] }));

describe('an agent', () => {
  test('announces where it stands when asked, and says goodbye on SIGTERM', async () => {
    const agent = await startAgent();
    const heard = nextHeartbeat();
    bus.publish(internalSubjects.discover);
    expect(await heard).toMatchObject({
      agent_id: 'one',
      country: '86',
      province: '440000',
      city: '440400',
      carrier: '电信',
      groups: [3, 4],
      resolvers: ['192.0.2.53', 'tcp://[2001:db8::53]:5353'],
      state: 'ready',
      load: { running: 0, waiting: 0 },
    });
    const goodbye = new Promise<void>((resolve) => {
      bus.subscribe(internalSubjects.heartbeat, {
        callback: (_error, message) => {
          if (heartbeatSchema.parse(message.json()).state === 'draining') resolve();
        },
      });
    });
    await bus.flush();
    agent.signal('SIGTERM');
    await goodbye;
    expect(await agent.exited).toMatchObject({ exitCode: 0 });
  });

  test('asks every server for every target, in cells of that order', async () => {
    await startAgent();
    const { text, server } = await startDns(answerA);
    const order = await sendOrder({
      servers: [text, `tcp://${text}`],
      targets: [
        { domain: 'a.example', rtype: 'A' },
        { domain: 'b.example', rtype: 'A' },
      ],
    });
    await order.received(4);
    const byCell = order.outcomes.toSorted((one, other) => one.cell - other.cell);
    expect(byCell.map(({ cell, transport, answer }) => [cell, transport, answer[0]?.name])).toEqual([
      [0, 'udp', 'a.example.'],
      [1, 'udp', 'b.example.'],
      [2, 'tcp', 'a.example.'],
      [3, 'tcp', 'b.example.'],
    ]);
    for (const { delay, status, tries } of order.outcomes) {
      expect([status, tries]).toEqual(['NOERROR', 1]);
      expect(delay).toBeGreaterThan(0);
    }
    expect(server.queries).toHaveLength(4);
  });

  test('reports a server that never answers within the budget, and the others before that', async () => {
    await startAgent();
    const { text: silent } = await startDns(() => undefined);
    const { text: quick } = await startDns(answerA);
    const startedAt = performance.now();
    const order = await sendOrder({ servers: [silent, quick], budget_ms: 800 });
    await order.received(1);
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(order.outcomes).toMatchObject([{ cell: 1, status: 'NOERROR' }]);
    await order.received(2);
    expect(performance.now() - startedAt).toBeLessThan(900);
    expect(order.outcomes[1]).toMatchObject({ cell: 0, status: 'TIMEOUT', delay: null, tries: 2 });
  });

  test('streams outcomes in messages of at most 64 KiB, each cell once', async () => {
    await startAgent();
    const { text } = await startDns((query) =>
      query.send(
        replyTo(query, { answers: [{ type: 'TXT', name: query.name, ttl: 1, data: 'x'.repeat(200) }] }),
      ),
    );
    const targets = Array.from({ length: 1000 }, (_, index) => ({
      domain: `n${index}.example`,
      rtype: 'TXT',
    }));
    const order = await sendOrder({ servers: [text], targets, budget_ms: 10_000 });
    await order.received(1000);
    expect(new Set(order.outcomes.map(({ cell }) => cell)).size).toBe(1000);
    expect(order.outcomes.every(({ status }) => status === 'NOERROR')).toBe(true);
    expect(Math.max(...order.sizes)).toBeLessThanOrEqual(maxOutcomeMessageOctets);
  });

  test('sends an outcome larger than a message in parts', async () => {
    await startAgent();
    const strings = Array.from({ length: 200 }, () => '\u0001'.repeat(200));
    const { text } = await startDns((query) =>
      query.send(replyTo(query, { answers: [{ type: 'TXT', name: query.name, ttl: 1, data: strings }] })),
    );
    const order = await sendOrder({
      servers: [`tcp://${text}`],
      targets: [{ domain: 'x.example', rtype: 'TXT' }],
    });
    await order.received(1);
    expect(order.messages.every(({ kind }) => kind === 'fragment')).toBe(true);
    expect(order.outcomes[0]?.answer[0]?.result).toBe(
      strings.map(() => `"${'\\001'.repeat(200)}"`).join(' '),
    );
    expect(Math.max(...order.sizes)).toBeLessThanOrEqual(maxOutcomeMessageOctets);
  });

  test('fits its messages to a bus that takes less', async () => {
    const small = keepUntilTestEnd(await startNatsServer({ extraConfig: 'max_payload: 8192' }));
    await startAgent({ NATS_URL: small.url });
    const connection = await connect({ servers: small.url });
    onTestFinished(() => connection.close());
    const { text } = await startDns(answerA);
    const targets = Array.from({ length: 100 }, (_, index) => ({ domain: `n${index}.example`, rtype: 'A' }));
    const order = await sendOrder({ servers: [text], targets }, 'one', connection);
    await order.received(100);
    expect(Math.max(...order.sizes)).toBeLessThanOrEqual(8192);
  });

  test('refuses an order that it cannot hold, and still takes one that it can', async () => {
    await startAgent({ AGENT_CONCURRENCY: '1', AGENT_MAX_WAITING: '3' });
    const { text } = await startDns(answerA);
    const targets = Array.from({ length: 4 }, (_, index) => ({ domain: `n${index}.example`, rtype: 'A' }));
    const large = await sendOrder({ servers: [text], targets });
    await until(async () => large.messages.length > 0);
    expect(large.messages).toMatchObject([{ kind: 'refused', status: 'AGENT_OVERLOADED' }]);
    const small = await sendOrder({ servers: [text], targets: targets.slice(0, 3) });
    await small.received(3);
    expect(small.outcomes.every(({ status }) => status === 'NOERROR')).toBe(true);
  });

  test('drops orders that waited unread longer than their budget', async () => {
    const stopped = await startAgent();
    await startAgent({ AGENT_ID: 'two' });
    const { text, server } = await startDns(answerA);
    const { text: silent } = await startDns(() => undefined);
    stopped.signal('SIGSTOP');
    const stale = await sendOrder({ servers: [text], budget_ms: 500 });
    const fresh = await sendOrder({ servers: [text], budget_ms: 60_000 });
    // The other agent's timeout tells that twice the stale order's budget has passed.
    const clock = await sendOrder({ servers: [silent], budget_ms: 1000 }, 'two');
    await clock.received(1);
    stopped.signal('SIGCONT');
    await fresh.received(1);
    expect(await readMetric(stopped.metricsUrl, 'probe_orders_total', 'result="stale"')).toBe(1);
    expect(stale.messages).toEqual([]);
    expect(server.queries).toHaveLength(1);
  });

  test('understands no garbage and is unharmed by it', async () => {
    const agent = await startAgent();
    const { text } = await startDns(answerA);
    const subject = orderSubject('one');
    const order = { order_id: 'x', budget_ms: 100, servers: [text], targets: [{ domain: 'x', rtype: 'A' }] };
    const bodies = [
      '',
      'x',
      '{}',
      new Uint8Array([0xff]),
      JSON.stringify({ ...order, servers: ['nowhere'] }),
      JSON.stringify({ ...order, targets: [{ domain: 'a..b', rtype: 'A' }] }),
      JSON.stringify({ ...order, budget_ms: -1 }),
    ];
    for (const body of bodies) bus.publish(subject, body, { reply: '_INBOX.test.garbage' });
    bus.publish(subject, JSON.stringify(order));
    await until(
      async () =>
        (await readMetric(agent.metricsUrl, 'probe_orders_total', 'result="invalid"')) === bodies.length + 1,
    );
    const good = await sendOrder({ servers: [text] });
    await good.received(1);
  });

  test('finishes the orders it holds on SIGTERM and takes no further ones', async () => {
    const agent = await startAgent();
    let release: (() => void) | undefined;
    const { text, server } = await startDns((query, number) => {
      release = () => answerA(query, number);
    });
    const order = await sendOrder({ servers: [text], budget_ms: 9000 });
    await server.received(1);
    agent.signal('SIGTERM');
    await until(async () =>
      bus.request(orderSubject('one'), '{}', { timeout: 1000 }).then(
        () => false,
        (error: unknown) => error instanceof Error && 'code' in error && error.code === '503',
      ),
    );
    release?.();
    await order.received(1);
    expect(order.outcomes).toMatchObject([{ status: 'NOERROR' }]);
    expect(await agent.exited).toMatchObject({ exitCode: 0 });
  });

  test('tells its metrics: orders, cells by outcome, event-loop lag', async () => {
    const agent = await startAgent();
    const { text } = await startDns(answerA);
    const order = await sendOrder({ servers: [text, '127.0.0.1:1'] });
    await order.received(2);
    expect(await readMetric(agent.metricsUrl, 'probe_orders_total', 'result="accepted"')).toBe(1);
    expect(await readMetric(agent.metricsUrl, 'probe_agent_cells_total', 'outcome="NOERROR"')).toBe(1);
    expect(await readMetric(agent.metricsUrl, 'probe_agent_cells_total', 'outcome="CONN_REFUSED"')).toBe(1);
    expect(await readMetric(agent.metricsUrl, 'nodejs_eventloop_lag_seconds')).toBeGreaterThan(0);
  });
});

describe('configuration', () => {
  test('faults stop the agent with one readable line each', async () => {
    const { exitCode, stderr } = await runService('agent', {
      ...agentEnv,
      AGENT_ID: 'with blanks',
      AGENT_CITY: '',
      AGENT_GROUPS: '1,x',
      AGENT_RESOLVERS: 'dns.example',
      AGENT_CONCURRENCY: '0',
    });
    expect(exitCode).toBe(1);
    expect(stderr.trim().split('\n').sort()).toEqual([
      'AGENT_CITY: is missing',
      'AGENT_CONCURRENCY: expected a whole number from 1 to 100000',
      'AGENT_GROUPS.1: expected group ids',
      'AGENT_ID: expected 1–64 letters, digits, - or _',
      'AGENT_RESOLVERS.0: server is not an IP address with an optional port and scheme',
    ]);
  });
});
