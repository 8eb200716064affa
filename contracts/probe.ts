// The one-shot probe: requests and replies of probe.task.dns_result.one_shoot and its verbose variant.
import { z } from 'zod';
import { formatRtype, parseRtype } from './dns-rtype.ts';
import { parseDnsServer } from './dns-server.ts';
import { encodeDomainName } from './domain-name.ts';
import { placeReplyShape, regionSchema } from './place.ts';

export const defaultRespTimeoutS = 3;

/** A domain name that can stand in a DNS question; kept as it was written. */
export const domainSchema = z.string().check((context) => {
  const name = encodeDomainName(context.value);
  if (!name.ok) context.issues.push({ code: 'custom', input: context.value, message: `name ${name.reason}` });
});

/** A record type by name or `TYPEn`, normalised to its mnemonic; missing means `A`. */
export const rtypeSchema = z
  .string()
  .nullish()
  .transform((text, context) => {
    const number = parseRtype(text ?? 'A');
    if (number !== undefined) return formatRtype(number);
    context.issues.push({ code: 'custom', input: text, message: 'unknown record type' });
    return z.NEVER;
  });

/** A DNS server address (see `parseDnsServer`); kept as it was written, because replies name it so. */
export const dnsServerSchema = z.string().check((context) => {
  const server = parseDnsServer(context.value);
  if (!server.ok)
    context.issues.push({ code: 'custom', input: context.value, message: `server ${server.reason}` });
});

/** `{-target:domain-}` */
export const domainTargetSchema = z.object({
  type: z.literal('domain'),
  rtype: rtypeSchema,
  data: domainSchema,
});
export type DomainTarget = z.infer<typeof domainTargetSchema>;

/** `{-probe-data-}`: no servers means the resolvers of the agent's region, else the agent's own. */
export const probeDataSchema = z
  .object({
    dns_servers: z
      .array(dnsServerSchema)
      .nullish()
      .transform((servers) => servers ?? []),
  })
  .nullish()
  .transform((data) => data ?? { dns_servers: [] });

const selectionShape = {
  /** All agents of this group, besides those of `regions`. */
  group_id: z
    .int()
    .nullish()
    // 0 is a wildcard, as in regions.
    .transform((id) => id || null),
  /** All agents of these places, besides those of the group. Neither given: every live agent. */
  regions: z
    .array(regionSchema)
    .max(1000)
    .nullish()
    .transform((regions) => regions ?? []),
  /** Seconds until the reply must be there. */
  resp_timeout: z
    .number()
    .min(1, 'expected 1 to 60 seconds')
    .max(60, 'expected 1 to 60 seconds')
    .nullish()
    .transform((seconds) => seconds ?? defaultRespTimeoutS),
};

export const oneShootRequestSchema = z.object({
  probe_data: probeDataSchema,
  target: domainTargetSchema,
  ...selectionShape,
});
export type OneShootRequest = z.infer<typeof oneShootRequestSchema>;

export const oneShootVerboseRequestSchema = z.object({
  probe_data: probeDataSchema,
  target: z.array(domainTargetSchema).min(1, 'expected at least one target'),
  ...selectionShape,
});
export type OneShootVerboseRequest = z.infer<typeof oneShootVerboseRequestSchema>;

/** `{-answer-section-}` and its two siblings: one record, text as dnspython prints it. */
export const sectionRecordSchema = z.object({
  name: z.string(),
  ttl: z.int(),
  rdclass: z.string(),
  rdtype: z.string(),
  result: z.string(),
});
export type SectionRecord = z.infer<typeof sectionRecordSchema>;

export const oneShootReplySchema = z.object({ results: z.array(z.string()) });
export type OneShootReply = z.infer<typeof oneShootReplySchema>;

/** What came of a cell when no DNS reply was parsed; otherwise the status is the rcode's name. */
export const cellFailures = [
  'TIMEOUT',
  'CONN_REFUSED',
  'NETWORK_ERROR',
  'MALFORMED',
  'NO_RESOLVER',
  'AGENT_NO_REPLY',
  'AGENT_OVERLOADED',
] as const;
export type CellFailure = (typeof cellFailures)[number];

/** One probed cell: agent × server × domain. */
export const verboseRowSchema = z.object({
  domain: z.string(),
  /** Milliseconds of the final try; null when nothing came back. */
  delay: z.number().nullable(),
  /** The rcode's name (`NOERROR`, …), or one of `cellFailures`; in the history of a task also one of `runFailures`. */
  dns_response_status: z.string(),
  /** As the caller wrote it; `""` when there was none to ask. */
  dns_server: z.string(),
  device: z.object(placeReplyShape),
  answer_section: z.array(sectionRecordSchema),
  authority_section: z.array(sectionRecordSchema),
  additional_section: z.array(sectionRecordSchema),
  agent_id: z.string().optional(),
  rtype: z.string().optional(),
  /** Milliseconds of `delay` that may be a standstill of the agent itself; missing where there was none. */
  lag: z.number().optional(),
  /** Of the final try; null when no query was sent. */
  transport: z.enum(['udp', 'tcp']).nullish(),
  /** A reply came cut short over UDP. */
  truncated: z.boolean().optional(),
  /** Queries sent. */
  tries: z.int().optional(),
  /** Header bits set in the reply: aa tc rd ra ad cd. */
  flags: z.array(z.string()).optional(),
});
export type VerboseRow = z.infer<typeof verboseRowSchema>;

export const oneShootVerboseReplySchema = z.object({ results: z.array(verboseRowSchema) });
export type OneShootVerboseReply = z.infer<typeof oneShootVerboseReplySchema>;
