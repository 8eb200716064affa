// The lines of a play's event file, read into events.
import { z } from 'zod';
import { dispatchResults } from '../../../contracts/dispatch.ts';
import { jsonObjectSchema } from '../content/work.ts';
import { maskObject, maskText } from './mask-secrets.ts';
import type { PlayEvent } from './player.ts';

const count = z.int().min(0);
const statsSchema = z.object({
  ok: count,
  changed: count,
  failures: count,
  unreachable: count,
  skipped: count,
  rescued: count,
  ignored: count,
});

const lineSchema = z.discriminatedUnion('kind', [
  /** The first one: Ansible has read the play, and is about to act. */
  z.object({ kind: z.literal('start') }),
  z.object({ kind: z.literal('begin'), node: z.string(), at: z.int() }),
  z.object({
    kind: z.literal('task'),
    node: z.string(),
    action: z.string(),
    module: z.string(),
    result: z.enum(dispatchResults),
    isIgnored: z.boolean(),
    isChanged: z.boolean(),
    startedAt: z.int(),
    endedAt: z.int(),
    detail: jsonObjectSchema,
  }),
  z.object({ kind: z.literal('stats'), nodes: z.record(z.string(), statsSchema) }),
]);

export type LineReading = { kind: 'event'; event: PlayEvent } | { kind: 'start' } | { kind: 'garbage' };

/** Events of nodes that are not of the play are garbage, too. `secretForms` as of `listSecretForms`. */
export function readEventLine(
  line: string,
  { nodes, secretForms }: { nodes: ReadonlySet<string>; secretForms: readonly string[] },
): LineReading {
  const parsed = lineSchema.safeParse(parseJson(line));
  if (!parsed.success) return { kind: 'garbage' };
  const event = parsed.data;
  if (event.kind === 'start') return { kind: 'start' };
  if (event.kind === 'stats') {
    const known = Object.entries(event.nodes).filter(([node]) => nodes.has(node));
    return { kind: 'event', event: { kind: 'stats', nodes: Object.fromEntries(known) } };
  }
  if (!nodes.has(event.node)) return { kind: 'garbage' };
  if (event.kind === 'begin') return { kind: 'event', event };
  const action = maskText(event.action, secretForms);
  return { kind: 'event', event: { ...event, action, detail: maskObject(event.detail, secretForms) } };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
