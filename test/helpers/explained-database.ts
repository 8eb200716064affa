// A database that tells of each statement how Postgres carried it out, with the values it was run with.
import { Kysely, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import { z } from 'zod';
import type { Database } from '../../infra/database/database.ts';
import type { Tables } from '../../infra/database/tables.ts';

const planNodeSchema = z.object({
  'Node Type': z.string(),
  'Relation Name': z.string().optional(),
  'Index Name': z.string().optional(),
  'Actual Rows': z.number(),
  'Actual Loops': z.number(),
  'Rows Removed by Filter': z.number().default(0),
  'Rows Removed by Index Recheck': z.number().default(0),
  get Plans() {
    return z.array(planNodeSchema).default([]);
  },
});
type PlanNode = z.infer<typeof planNodeSchema>;
const planSchema = z.object({ Plan: planNodeSchema });

export type Finding = {
  /** Indexes that were used, and tables that were read as a whole. */
  ways: string[];
  hasSort: boolean;
  /** Most rows that one scan has read. */
  read: number;
};

export type ExplainedDatabase = {
  database: Database;
  /** How the statements of the work were carried out, as far as they are about the tables. */
  explain(work: () => Promise<unknown>): Promise<Finding>;
};

/** One connection. What is found is about these tables alone, without what was not carried out in the end. */
export function createExplainedDatabase(url: string, tables: string[]): ExplainedDatabase {
  const settings = {
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_timing': 'off',
    'auto_explain.log_format': 'json',
    client_min_messages: 'log',
  };
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  const pool = new Pool({ connectionString: url, max: 1, options: options.join(' ') });
  let plans: PlanNode[] = [];
  pool.on('connect', (client) =>
    client.on('notice', ({ message = '' }) => {
      const start = message.indexOf('{');
      if (start >= 0) plans.push(planSchema.parse(JSON.parse(message.slice(start))).Plan);
    }),
  );
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    database: {
      run: (work) => work(db),
      transact: (work) => db.transaction().execute(work),
      isReachable: async () => true,
      stop: () => db.destroy(),
    },
    async explain(work) {
      plans = [];
      await work();
      return summarize(plans.flatMap(listNodes), tables);
    },
  };
}

function listNodes(node: PlanNode): PlanNode[] {
  return [node, ...node.Plans.flatMap(listNodes)];
}

function summarize(nodes: PlanNode[], tables: string[]): Finding {
  const made = nodes.filter((node) => node['Actual Loops'] > 0);
  const scans = made.filter((node) => node['Node Type'].includes('Scan'));
  const ours = scans.filter((node) => tables.some((name) => isOf(node, name)));
  const ways = ours.flatMap((node) => {
    if (node['Node Type'] === 'Bitmap Heap Scan') return [];
    return [node['Index Name'] ?? `all of ${node['Relation Name']}`];
  });
  const read = ours.map((node) => {
    const rows = node['Actual Rows'] + node['Rows Removed by Filter'] + node['Rows Removed by Index Recheck'];
    return rows * node['Actual Loops'];
  });
  return {
    ways: [...new Set(ways)].toSorted(),
    hasSort: made.some((node) => node['Node Type'].includes('Sort')),
    read: Math.max(0, ...read),
  };
}

/** A bitmap scan of an index names the index alone. */
function isOf(node: PlanNode, table: string): boolean {
  return node['Relation Name'] === table || node['Index Name']?.startsWith(`${table}_`) === true;
}
