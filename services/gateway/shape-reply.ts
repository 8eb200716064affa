// Plan + outcomes → the contract's replies, in plan order. Pure.
import type { Outcome } from '../../contracts/agent.ts';
import { ProbeTaskError } from '../../contracts/errors.ts';
import type { CellFailure, OneShootReply, OneShootVerboseReply, VerboseRow } from '../../contracts/probe.ts';
import type { Gathered, OrderState } from './gather.ts';
import type { Plan, PlannedOrder, PlanTarget } from './plan-probe.ts';

/** A planned cell with what came of it; `failure` where no agent sent an outcome. */
type Cell = { order: PlannedOrder; server: string; target: PlanTarget } & (
  | { outcome: Outcome; failure?: never }
  | { outcome?: never; failure: CellFailure }
);

/**
 * Texts of the answer records of the asked type (of all types for `ANY`), without duplicates. Throws `AGENTS_SILENT`
 * when agents were asked and none replied, `OVERLOADED` when all of them refused.
 */
export function shapeOneShootReply(plan: Plan, gathered: Gathered): OneShootReply {
  const asked = plan.orders.flatMap(({ servers }, index) =>
    servers.length > 0 ? [gathered.states[index]] : [],
  );
  if (asked.length > 0 && asked.every((state) => state === 'refused')) {
    throw new ProbeTaskError('OVERLOADED', `all ${asked.length} matching agents are overloaded`);
  }
  if (asked.length > 0 && !asked.includes('answering')) {
    throw new ProbeTaskError('AGENTS_SILENT', `none of ${asked.length} matching agents replied in time`);
  }
  const results = new Set<string>();
  for (const { outcome, target } of cells(plan, gathered)) {
    for (const { rdtype, result } of outcome?.answer ?? []) {
      if (rdtype === target.rtype || target.rtype === 'ANY') results.add(result);
    }
  }
  return { results: [...results] };
}

/** One row for every planned cell, whatever happened. */
export function shapeVerboseReply(plan: Plan, gathered: Gathered): OneShootVerboseReply {
  return { results: Array.from(cells(plan, gathered), shapeRow) };
}

/** Status of every planned cell, for the counters. */
export function* cellStatuses(plan: Plan, gathered: Gathered): Generator<string> {
  for (const { outcome, failure } of cells(plan, gathered)) yield outcome?.status ?? failure ?? '';
}

function* cells(plan: Plan, gathered: Gathered): Generator<Cell> {
  for (const [index, order] of plan.orders.entries()) {
    const failure = failureOf(order, gathered.states[index] ?? 'silent');
    let cell = order.firstCell;
    for (const server of order.servers.length === 0 ? [''] : order.servers) {
      for (const target of order.targets) {
        const outcome = gathered.outcomes[cell];
        cell += 1;
        yield outcome === undefined ? { order, server, target, failure } : { order, server, target, outcome };
      }
    }
  }
}

function failureOf(order: PlannedOrder, state: OrderState): CellFailure {
  if (order.servers.length === 0) return 'NO_RESOLVER';
  return state === 'refused' ? 'AGENT_OVERLOADED' : 'AGENT_NO_REPLY';
}

function shapeRow({ order: { agent }, server, target, outcome, failure }: Cell): VerboseRow {
  const { country, province, city, carrier } = agent;
  return {
    domain: target.domain,
    delay: outcome?.delay ?? null,
    dns_response_status: outcome?.status ?? failure ?? '',
    dns_server: server,
    device: { country, province, city, carrier },
    answer_section: outcome?.answer ?? [],
    authority_section: outcome?.authority ?? [],
    additional_section: outcome?.additional ?? [],
    agent_id: agent.agent_id,
    rtype: target.rtype,
    ...(outcome?.lag === undefined ? {} : { lag: outcome.lag }),
    transport: outcome?.transport ?? null,
    truncated: outcome?.truncated ?? false,
    tries: outcome?.tries ?? 0,
    flags: outcome?.flags ?? [],
  };
}
