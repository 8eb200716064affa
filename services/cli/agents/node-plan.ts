// Nodes, the regions they are in, and what is particular about them: of the command line, or of a plan in YAML.
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { agentIdSchema } from '../../../contracts/agent.ts';
import { parseDispatchNode } from '../../../contracts/dispatch.ts';
import { matchesPlace, type PlacePattern, wildcard } from '../../../contracts/place.ts';
import { dnsServerSchema } from '../../../contracts/probe.ts';
import { textSchema } from '../../../contracts/text.ts';
import { printable } from '../terminal/printable-text.ts';
import { composeAgentId } from './agent-id.ts';

/** `settings`: variables of the role for this node, without their prefix. */
export type PlannedNode = { node: string; settings: Record<string, unknown> };

const placeId = z
  .union([z.int().transform(String), textSchema(64).min(1)])
  .refine((id) => id !== wildcard && id !== '0', { error: 'a wildcard is not a place' });

const regionSchema = z
  .union([
    z.string().transform((text) => text.split(',').map((part) => part.trim())),
    z.array(z.union([z.string(), z.number()])),
  ])
  .pipe(z.tuple([placeId, placeId, placeId, placeId]));

const settingsShape = {
  groups: z.array(z.int()).optional(),
  resolvers: z.array(dnsServerText()).optional(),
  concurrency: z.int().min(1).optional(),
  http_host: z.string().optional(),
  metrics_port: z.int().min(0).max(65_535).optional(),
  log_level: z.string().optional(),
};

const nodeText = z.string().refine((text) => parseDispatchNode(text) !== undefined, {
  error: 'expected an IP address, with or without a port',
});

const planSchema = z.strictObject({
  regions: z
    .array(
      z.strictObject({
        region: regionSchema,
        ...settingsShape,
        nodes: z
          .array(
            z.union(
              [
                nodeText.transform((node) => ({ node })),
                z.strictObject({ node: nodeText, id: agentIdSchema.optional(), ...settingsShape }),
              ],
              { error: 'expected an IP address, or an object with one as node' },
            ),
          )
          .min(1),
      }),
    )
    .min(1),
});

function dnsServerText() {
  return z
    .string()
    .refine((text) => dnsServerSchema.safeParse(text).success, { error: 'expected a DNS server' });
}

/** Nodes of the plan's regions that lie within `region`, with a text for each fault instead. */
export function readPlan(
  text: string,
  { region, idPrefix }: { region: PlacePattern | undefined; idPrefix: string | undefined },
): { nodes: PlannedNode[]; faults: string[] } {
  let given: unknown;
  try {
    given = parse(text);
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    return { nodes: [], faults: [`--plan: ${printable(error.message.split('\n')[0] ?? '')}`] };
  }
  const parsed = planSchema.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(
      ({ path, message }) => `--plan: ${path.map(String).join('.') || 'plan'}: ${message}`,
    );
    return { nodes: [], faults };
  }
  const planned = parsed.data.regions.flatMap(({ region: place, nodes, ...settings }) => {
    const named = namePlace(place);
    if (region !== undefined && !matchesPlace(region, named)) return [];
    return nodes.map(({ node, ...own }) =>
      planNode(node, { id: composeAgentId(node, named, idPrefix), ...named, ...settings, ...own }),
    );
  });
  const none = planned.length === 0 ? ['--region: no region of the plan lies within it'] : [];
  return { nodes: planned, faults: [...none, ...findDoubles(planned)] };
}

/** Without a region the agents keep the place that they have. */
export function planNodes(
  texts: readonly string[],
  { region, idPrefix }: { region: PlacePattern | undefined; idPrefix: string | undefined },
): { nodes: PlannedNode[]; faults: string[] } {
  const nodes = texts.map((text) =>
    planNode(text, region === undefined ? {} : { id: composeAgentId(text, region, idPrefix), ...region }),
  );
  const faults = texts.flatMap((text) =>
    parseDispatchNode(text) === undefined
      ? [`--nodes ${printable(text)}: expected an IP address, with or without a port`]
      : [],
  );
  return { nodes, faults: [...faults, ...findDoubles(nodes)] };
}

function planNode(node: string, settings: Record<string, unknown>): PlannedNode {
  return { node: parseDispatchNode(node)?.text ?? node, settings };
}

function namePlace([country, province, city, carrier]: [string, string, string, string]): PlacePattern {
  return { country, province, city, carrier };
}

function findDoubles(nodes: readonly PlannedNode[]): string[] {
  const double = <Value>(values: readonly Value[]) =>
    new Set(values.filter((value, index) => value !== undefined && values.indexOf(value) !== index));
  return [
    ...[...double(nodes.map(({ node }) => node))].map((node) => `${node}: is there more than once`),
    ...[...double(nodes.map(({ settings }) => settings.id))].map(
      (id) => `two nodes have the agent id ${String(id)}`,
    ),
  ];
}
