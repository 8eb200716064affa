// The plan of a statement as Postgres explains it in JSON, flattened.
import { z } from 'zod';

type PlanTree = {
  'Node Type': string;
  'Relation Name'?: string | undefined;
  'Index Name'?: string | undefined;
  'Index Cond'?: string | undefined;
  Filter?: string | undefined;
  Plans?: PlanTree[] | undefined;
};
export type PlanNode = Omit<PlanTree, 'Plans'>;

const planSchema: z.ZodType<PlanTree> = z.object({
  'Node Type': z.string(),
  'Relation Name': z.string().optional(),
  'Index Name': z.string().optional(),
  'Index Cond': z.string().optional(),
  Filter: z.string().optional(),
  get Plans() {
    return z.array(planSchema).optional();
  },
});
const explainedSchema = z.tuple([z.object({ 'QUERY PLAN': z.tuple([z.object({ Plan: planSchema })]) })]);

/** Every node of the plan in `explained`, the rows of an `explain (format json)`. */
export function planNodes(explained: unknown): PlanNode[] {
  const [row] = explainedSchema.parse(explained);
  const nodes = [row['QUERY PLAN'][0].Plan];
  for (const node of nodes) nodes.push(...(node.Plans ?? []));
  return nodes;
}

/** The kinds of nodes, each once, in the order of the alphabet. */
export function nodeTypes(nodes: PlanNode[]): string[] {
  return [...new Set(nodes.map((node) => node['Node Type']))].sort();
}
