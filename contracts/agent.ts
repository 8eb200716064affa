// What gateway and agents say to each other, and what callers learn of the agents.
import { z } from 'zod';
import { parseDnsServer } from './dns-server.ts';
import { placeReplyShape } from './place.ts';
import { dnsServerSchema, domainSchema, rtypeSchema, sectionRecordSchema } from './probe.ts';

/** An agent announces itself this often; three missed heartbeats and it counts as gone. */
export const heartbeatIntervalMs = 2000;
export const missedHeartbeats = 3;

/** An agent tells the database that it is there this often; six times as long, and it gets no runs of recurring tasks. */
export const sessionBeatMs = 10_000;
export const sessionTermMs = 6 * sessionBeatMs;

/** Largest message of outcomes, body octets. */
export const maxOutcomeMessageOctets = 64 * 1024;

/** One token of a NATS subject. `heartbeat` and `discover` are subjects of their own. */
export const agentIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1–64 letters, digits, - or _')
  .refine((id) => !['heartbeat', 'discover', 'get'].includes(id), { error: 'is a reserved word' });

const agentShape = {
  agent_id: agentIdSchema,
  ...placeReplyShape,
  /** Group ids of the agent's own configuration. */
  groups: z.array(z.int()),
  /** Servers asked when neither request nor region names any; what is no server address is passed over. */
  resolvers: z.array(z.string()).transform((texts) => texts.filter((text) => parseDnsServer(text).ok)),
  load: z.object({
    /** Cells being probed. */
    running: z.int().min(0),
    /** Cells accepted and not yet started. */
    waiting: z.int().min(0),
    /** Cells that may run at once. */
    capacity: z.int().min(1),
  }),
  version: z.string(),
};

/** Published by every agent; a draining agent takes no further orders. */
export const heartbeatSchema = z.object({
  ...agentShape,
  /** New with every process, so that two processes of one id are noticed. */
  session: z.string().min(1).max(64),
  state: z.enum(['ready', 'draining']),
});
export type Heartbeat = z.infer<typeof heartbeatSchema>;

/** Reply of `probe.agent.get`: the live agents in the order of their ids. */
export const agentListReplySchema = z.array(
  z.object({ ...agentShape, /** Milliseconds since its last heartbeat. */ last_seen_ms: z.int() }),
);
export type AgentInfo = z.infer<typeof agentListReplySchema>[number];

/**
 * All cells of one agent for one request: every server × every target. Cell `s * targets.length + t` asks server `s`
 * for target `t`.
 */
export const orderSchema = z.object({
  order_id: z.string().min(1).max(64),
  /** Milliseconds left for the last outcome to leave the agent, counted from the order's arrival. */
  budget_ms: z.int().min(1).max(60_000),
  servers: z.array(dnsServerSchema).min(1),
  targets: z.array(z.object({ domain: domainSchema, rtype: rtypeSchema })).min(1),
});
export type Order = z.infer<typeof orderSchema>;

/** What came of one cell. `delay` in milliseconds of the final try, null when nothing came back. */
export const outcomeSchema = z.object({
  cell: z.int().min(0),
  /** The rcode's name or number, or one of `cellFailures`. */
  status: z.string().regex(/^([A-Z_]{1,32}|\d{1,5})$/),
  delay: z.number().min(0).nullable(),
  /** How much of `delay` may be a standstill of the agent itself; missing where there was none. */
  lag: z.number().positive().optional(),
  transport: z.enum(['udp', 'tcp']).nullable(),
  truncated: z.boolean(),
  tries: z.int().min(0),
  flags: z.array(z.string()),
  answer: z.array(sectionRecordSchema),
  authority: z.array(sectionRecordSchema),
  additional: z.array(sectionRecordSchema),
});
export type Outcome = z.infer<typeof outcomeSchema>;

/** What an agent sends back for an order: as many of these as it takes, each within `maxOutcomeMessageOctets`. */
export const orderReplySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('outcomes'), order_id: z.string(), outcomes: z.array(outcomeSchema).min(1) }),
  /** The agent takes none of the order's cells. */
  z.object({ kind: z.literal('refused'), order_id: z.string(), status: z.literal('AGENT_OVERLOADED') }),
  /** Part of the JSON text of one outcome that is too large for a message of its own. */
  z.object({
    kind: z.literal('fragment'),
    order_id: z.string(),
    cell: z.int().min(0),
    part: z.int().min(0),
    parts: z.int().min(2).max(1024),
    text: z.string(),
  }),
]);
export type OrderReply = z.infer<typeof orderReplySchema>;
