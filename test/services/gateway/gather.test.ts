import { describe, expect, test } from 'vitest';
import type { OrderReply, Outcome } from '../../../contracts/agent.ts';
import type { LiveAgent } from '../../../services/gateway/agent-directory.ts';
import { createGather, type DropReason } from '../../../services/gateway/gather.ts';
import type { Plan } from '../../../services/gateway/plan-probe.ts';
import { shapeOneShootReply, shapeVerboseReply } from '../../../services/gateway/shape-reply.ts';

function agent(id: string): LiveAgent {
  return {
    agent_id: id,
    country: '86',
    province: '1',
    city: '2',
    carrier: 'x',
    groups: [],
    resolvers: [],
    load: { running: 0, waiting: 0, capacity: 1 },
    version: '0',
    session: id,
    state: 'ready',
  };
}

const targets = [
  { domain: 'a.example', rtype: 'A' },
  { domain: 'b.example', rtype: 'A' },
];

function outcome(cell: number, results: string[] = []): Outcome {
  return {
    cell,
    status: 'NOERROR',
    delay: 1.5,
    transport: 'udp',
    truncated: false,
    tries: 1,
    flags: ['rd'],
    answer: results.map((result) => ({ name: 'a.example.', ttl: 1, rdclass: 'IN', rdtype: 'A', result })),
    authority: [],
    additional: [],
  };
}

/** Two agents × one server × two targets, and a third agent without a resolver. */
function startGather() {
  const plan: Plan = {
    orders: [
      { agent: agent('one'), servers: ['192.0.2.1'], targets, firstCell: 0 },
      { agent: agent('two'), servers: ['192.0.2.1'], targets, firstCell: 2 },
      { agent: agent('bare'), servers: [], targets, firstCell: 4 },
    ],
    cellCount: 6,
  };
  const drops: DropReason[] = [];
  let completions = 0;
  const gather = createGather({
    plan,
    orderIds: ['order-one', 'order-two', 'order-bare'],
    onComplete: () => {
      completions += 1;
    },
    onDrop: (reason) => drops.push(reason),
  });
  return {
    plan,
    drops,
    gather,
    completions: () => completions,
    send: (orderIndex: number, reply: OrderReply) =>
      gather.take(orderIndex, Buffer.from(JSON.stringify(reply))),
  };
}

function outcomes(orderId: string, ...list: Outcome[]): OrderReply {
  return { kind: 'outcomes', order_id: orderId, outcomes: list };
}

describe('createGather', () => {
  test('completes once, when every cell that an agent was asked for has an outcome', () => {
    const { send, completions, gather } = startGather();
    send(0, outcomes('order-one', outcome(1), outcome(0)));
    send(1, outcomes('order-two', outcome(0)));
    expect(completions()).toBe(0);
    send(1, outcomes('order-two', outcome(1)));
    expect(completions()).toBe(1);
    expect(gather.gathered.answered).toBe(4);
  });

  test('drops and counts duplicates, cells that are not theirs, foreign orders and garbage', () => {
    const { send, gather, drops, completions } = startGather();
    send(0, outcomes('order-one', outcome(0, ['192.0.2.10'])));
    send(0, outcomes('order-one', outcome(0, ['192.0.2.66'])));
    send(0, outcomes('order-one', outcome(2)));
    send(0, outcomes('order-two', outcome(1)));
    gather.take(0, Buffer.from('{"kind":"outcomes"'));
    gather.take(0, Buffer.from([0xff, 0xfe]));
    gather.take(0, Buffer.from('{"kind":"outcomes","order_id":"order-one","outcomes":[{"cell":-1}]}'));
    expect(drops).toEqual(['duplicate', 'foreign', 'foreign', 'garbage', 'garbage', 'garbage']);
    expect(gather.gathered.answered).toBe(1);
    expect(gather.gathered.outcomes[0]?.answer[0]?.result).toBe('192.0.2.10');
    expect(completions()).toBe(0);
  });

  test('joins the parts of an outcome in any order, and each part counts once', () => {
    const { send, gather, drops } = startGather();
    const text = JSON.stringify(outcome(1, ['x'.repeat(1000)]));
    const parts = [text.slice(0, 400), text.slice(400, 800), text.slice(800)];
    for (const part of [2, 0, 0, 1]) {
      send(0, { kind: 'fragment', order_id: 'order-one', cell: 1, part, parts: 3, text: parts[part] ?? '' });
    }
    expect(gather.gathered.outcomes[1]?.answer[0]?.result).toHaveLength(1000);
    expect(drops).toEqual(['duplicate']);
  });

  test('drops parts that make no outcome of their cell', () => {
    const { send, drops, gather } = startGather();
    const halves = ['{"cell":', '7}'];
    for (const [part, text] of halves.entries()) {
      send(0, { kind: 'fragment', order_id: 'order-one', cell: 0, part, parts: 2, text });
    }
    send(0, { kind: 'fragment', order_id: 'order-one', cell: 0, part: 5, parts: 2, text: '' });
    send(0, { kind: 'fragment', order_id: 'order-one', cell: 9, part: 0, parts: 2, text: '' });
    expect(drops).toEqual(['garbage', 'garbage', 'foreign']);
    expect(gather.gathered.answered).toBe(0);
  });

  test('does not wait for an agent that refuses or that nobody is', () => {
    const { send, gather, completions } = startGather();
    send(0, { kind: 'refused', order_id: 'order-one', status: 'AGENT_OVERLOADED' });
    expect(completions()).toBe(0);
    gather.giveUp(1);
    gather.giveUp(1);
    expect(completions()).toBe(1);
  });
});

describe('shaping', () => {
  test('gives one row for every planned cell, in plan order, whatever happened', () => {
    const { plan, send, gather } = startGather();
    send(0, { kind: 'refused', order_id: 'order-one', status: 'AGENT_OVERLOADED' });
    send(1, outcomes('order-two', outcome(1, ['192.0.2.9'])));
    const { results } = shapeVerboseReply(plan, gather.gathered);
    expect(results.map((row) => [row.agent_id, row.domain, row.dns_server, row.dns_response_status])).toEqual(
      [
        ['one', 'a.example', '192.0.2.1', 'AGENT_OVERLOADED'],
        ['one', 'b.example', '192.0.2.1', 'AGENT_OVERLOADED'],
        ['two', 'a.example', '192.0.2.1', 'AGENT_NO_REPLY'],
        ['two', 'b.example', '192.0.2.1', 'NOERROR'],
        ['bare', 'a.example', '', 'NO_RESOLVER'],
        ['bare', 'b.example', '', 'NO_RESOLVER'],
      ],
    );
    expect(results.map(({ delay }) => delay)).toEqual([null, null, null, 1.5, null, null]);
    expect(results[3]?.device).toEqual({ country: '86', province: '1', city: '2', carrier: 'x' });
  });

  test('gives the texts of the asked type once each, in plan order', () => {
    const { plan, send, gather } = startGather();
    const alias = { name: 'a.example.', ttl: 1, rdclass: 'IN', rdtype: 'CNAME', result: 'b.example.' };
    send(1, outcomes('order-two', outcome(0, ['192.0.2.3', '192.0.2.1'])));
    const first = outcome(0, ['192.0.2.2', '192.0.2.1']);
    send(0, outcomes('order-one', { ...first, answer: [alias, ...first.answer] }));
    expect(shapeOneShootReply(plan, gather.gathered)).toEqual({
      results: ['192.0.2.2', '192.0.2.1', '192.0.2.3'],
    });
  });

  test('tells silence from refusal where no agent gave anything', () => {
    const { plan, send, gather } = startGather();
    expect(() => shapeOneShootReply(plan, gather.gathered)).toThrowError(
      expect.objectContaining({ code: 'AGENTS_SILENT' }),
    );
    send(0, { kind: 'refused', order_id: 'order-one', status: 'AGENT_OVERLOADED' });
    send(1, { kind: 'refused', order_id: 'order-two', status: 'AGENT_OVERLOADED' });
    expect(() => shapeOneShootReply(plan, gather.gathered)).toThrowError(
      expect.objectContaining({ code: 'OVERLOADED' }),
    );
  });
});
