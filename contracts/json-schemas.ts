// The messages as JSON Schema (draft-07), for readers that do not run TypeScript.
import { z } from 'zod';
import { agentIdSchema, heartbeatSchema, orderReplySchema, orderSchema } from './agent.ts';
import { errorReplySchema } from './errors.ts';
import { regionSchema } from './place.ts';
import {
  dnsServerSchema,
  domainSchema,
  oneShootRequestSchema,
  rtypeSchema,
  verboseRowSchema,
} from './probe.ts';
import type { Rpc } from './rpc.ts';
import { rpcs } from './rpc.ts';
import { taskIdSchema } from './task.ts';
import { taskResultGetRequestSchema } from './task-result.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** What the code checks and draft-07 cannot say, in words. */
const notes = z.registry<{ description: string }>();
notes.add(domainSchema, {
  description:
    'Domain name in presentation form: labels of 1–63 octets, 255 octets in all, IDN and escapes understood, trailing dot optional.',
});
notes.add(rtypeSchema, {
  description: 'IANA record type by name in any case, or TYPEn (RFC 3597); missing or null means A.',
});
notes.add(dnsServerSchema, {
  description: 'IP address with optional port and scheme: 1.1.1.1:53, [2001:db8::1]:53, udp://…, tcp://….',
});
notes.add(regionSchema, {
  description:
    '[country_id, province_id, city_id, carrier]; null, "", 0, "*" or a missing tail is a wildcard.',
});
notes.add(agentIdSchema, { description: 'One token of a NATS subject.' });
notes.add(taskIdSchema, { description: 'Decimal id as probe.task.get gives it.' });
notes.add(oneShootRequestSchema.shape.group_id, {
  description: 'Agents of this group, besides those of regions; null or missing: none by group.',
});
notes.add(oneShootRequestSchema.shape.resp_timeout, {
  description: 'Seconds until the reply must be there; missing or null means 3.',
});
notes.add(verboseRowSchema.shape.delay, {
  description: 'Milliseconds of the final try; null when nothing came back.',
});
notes.add(taskResultGetRequestSchema.shape.domain, {
  description: 'The exact text that the task, or its domain group, has: case and trailing dot count.',
});

/** A schema in draft-07, as seen by whoever writes the message (fields with a default are optional). */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { target: 'draft-07', io: 'input', metadata: notes });
}

/** What may stand in the body of a request; a call that takes nothing also takes `null`, `"-"`, and beside JSON a bare `-` or no bytes at all. */
export function requestJsonSchema(rpc: Rpc): JsonSchema {
  const { $schema, ...given } = toJsonSchema(rpc.request);
  const body: JsonSchema = rpc.takesNothing ? { anyOf: [{ type: 'null' }, { const: '-' }, given] } : given;
  return { ...($schema === undefined ? {} : { $schema }), title: `Request of ${rpc.subject}`, ...body };
}

/** The body of a reply that is no error; nothing fits this and the error reply at once. */
export function replyJsonSchema(rpc: Rpc): JsonSchema {
  const { $schema, ...given } = toJsonSchema(rpc.reply);
  const { $schema: _, ...error } = toJsonSchema(errorReplySchema);
  const body: JsonSchema = given.type === 'object' ? { ...given, not: error } : given;
  return { ...($schema === undefined ? {} : { $schema }), title: `Reply of ${rpc.subject}`, ...body };
}

/** Every schema under the name of its file (without `.json`). */
export function collectJsonSchemas(): Map<string, JsonSchema> {
  const schemas = new Map<string, JsonSchema>();
  for (const rpc of Object.values(rpcs)) {
    schemas.set(`${rpc.subject}.request`, requestJsonSchema(rpc));
    schemas.set(`${rpc.subject}.reply`, replyJsonSchema(rpc));
  }
  schemas.set('error.reply', { title: 'Error reply of every call', ...toJsonSchema(errorReplySchema) });
  schemas.set('probe.agent.heartbeat', { title: 'Heartbeat of an agent', ...toJsonSchema(heartbeatSchema) });
  schemas.set('probe.agent.order.request', { title: 'Order to an agent', ...toJsonSchema(orderSchema) });
  schemas.set('probe.agent.order.reply', {
    title: 'One message of outcomes for an order',
    ...toJsonSchema(orderReplySchema),
  });
  return schemas;
}
