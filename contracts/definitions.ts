// What tasks refer to: domain groups, probe groups (group detail) and the resolvers of a region.
import { z } from 'zod';
import { placePatternShape, placeReplyShape } from './place.ts';
import { dnsServerSchema, domainSchema } from './probe.ts';
import { integerIdSchema } from './task.ts';
import { textSchema } from './text.ts';

/** These `get` subjects take no arguments. */
export const noArgumentsSchema = z.object({});

const maxDomains = 10_000;
const groupName = textSchema(200).min(1);
const groupDomains = z.array(domainSchema).min(1, 'expected at least one domain').max(maxDomains);

export const domainGroupSchema = z.object({ id: z.int(), name: z.string(), domains: z.array(z.string()) });
export type DomainGroup = z.infer<typeof domainGroupSchema>;
/**
 * All arguments are optional. A page holds `limit` groups in the order of their ids; the next page starts after `cursor`,
 * the last `id` seen (also in the reply header `Probe-Next-Cursor`).
 */
export const domainGroupGetRequestSchema = z.object({
  limit: z.int().min(1).max(100_000).nullish(),
  cursor: integerIdSchema.nullish(),
});
export const domainGroupListReplySchema = z.array(domainGroupSchema);
export const domainGroupCreateRequestSchema = z.object({ name: groupName, domains: groupDomains });
export const domainGroupUpdateRequestSchema = z.object({
  id: integerIdSchema,
  name: groupName.optional(),
  domains: groupDomains.optional(),
});
export const domainGroupKeySchema = z.object({ id: integerIdSchema });

/** One row of a probe group: agents of this place belong to the group; `*` is a wildcard. */
export const groupDetailSchema = z.object({ group_id: z.int(), ...placeReplyShape });
export type GroupDetail = z.infer<typeof groupDetailSchema>;
export const groupDetailListReplySchema = z.array(groupDetailSchema);
/** Replaces all rows of the group. */
export const groupDetailSetRequestSchema = z.object({
  group_id: integerIdSchema,
  details: z.array(z.object(placePatternShape)).min(1, 'expected at least one place').max(1000),
});
export const groupDetailKeySchema = z.object({ group_id: integerIdSchema });

/** The resolvers of a place, asked when a request names no servers. */
export const localDnsSchema = z.object({ ...placeReplyShape, ips: z.array(z.string()) });
export type LocalDns = z.infer<typeof localDnsSchema>;
export const localDnsListReplySchema = z.array(localDnsSchema);
/** Replaces the resolvers of exactly this place. */
export const localDnsSetRequestSchema = z.object({
  ...placePatternShape,
  ips: z.array(dnsServerSchema).min(1, 'expected at least one address').max(100),
});
export const localDnsKeySchema = z.object(placePatternShape);
export const localDnsKeyReplySchema = z.object(placeReplyShape);
