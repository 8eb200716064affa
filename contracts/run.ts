// A run: what an agent claims of one slot of a recurring task.
import { z } from 'zod';
import { dnsServerSchema, domainSchema, rtypeSchema } from './probe.ts';

/** Cells of one run at most. */
export const maxRunCells = 100;

/**
 * A part of the cells that one agent has in one slot. All of them are every server × every target, numbered from 0 in
 * this order; cell `s * targets.length + t` of the part has the number `first_cell + s * stride + t`.
 */
export const runPayloadSchema = z.object({
  /** `""` stands for a resolver that neither task nor region nor agent has. */
  servers: z.array(z.union([z.literal(''), dnsServerSchema])).min(1),
  targets: z.array(z.object({ domain: domainSchema, rtype: rtypeSchema })).min(1),
  first_cell: z.int().min(0),
  stride: z.int().min(1),
});
export type RunPayload = z.infer<typeof runPayloadSchema>;

/** The status of a cell whose run ended without an outcome. */
export const runFailures = [
  /** An agent claimed it and went silent, and nobody finished it in time; or that happened three times. */
  'LOST',
  /** No agent claimed it while it was worth running. */
  'EXPIRED',
] as const;
export type RunFailure = (typeof runFailures)[number];
