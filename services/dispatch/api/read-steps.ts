// What Ansible did for tasks, as the text of a list: as much of it as a reply may hold.
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../../../infra/database/tables.ts';

type StepRow = {
  task_id: string;
  seq: number;
  node: string;
  action: string;
  result: string;
  started_at: Date;
  ended_at: Date;
  detail: Record<string, unknown>;
  /** Rows of the page, with those that were too long for it. */
  found: number;
};

/** Octets of the text. */
const maxLogOctets = 1024 * 1024;
const pageRows = 500;

/**
 * One entry for each step on each node, by task, in the order in which they ended; after 1 MiB an entry `{omitted}` with
 * the number of those that are left out.
 */
export async function readSteps(db: Kysely<Tables>, taskIds: readonly string[]): Promise<string> {
  const texts: string[] = [];
  let octets = 0;
  let after: Pick<StepRow, 'task_id' | 'seq'> = { task_id: '0', seq: 0 };
  for (;;) {
    const rows = await readPage(db, taskIds, { after, octets: maxLogOctets - octets });
    for (const row of rows) {
      const text = JSON.stringify(describeStep(row));
      octets += Buffer.byteLength(text) + 1;
      if (octets > maxLogOctets) return formatCut(texts, await countSteps(db, taskIds));
      texts.push(text);
      after = row;
    }
    const found = rows[0]?.found ?? 0;
    if (rows.length < found) return formatCut(texts, await countSteps(db, taskIds));
    if (found < pageRows) return `[${texts.join(',')}]`;
  }
}

/** Long texts of rows beyond `octets` are not even sent; those of other pages are not read from where Postgres keeps them. */
async function readPage(
  db: Kysely<Tables>,
  taskIds: readonly string[],
  { after, octets }: { after: Pick<StepRow, 'task_id' | 'seq'>; octets: number },
): Promise<StepRow[]> {
  const { rows } = await sql<StepRow>`
    select task_id, seq, node, action, result, started_at, ended_at, detail, found from (
      select page.*, count(*) over ()::integer as found,
        sum(octets) over (order by task_id, seq rows unbounded preceding) - octets as octets_before
      from (
        select event.*, octet_length(event.detail::text) + octet_length(event.action) as octets
        from (
          select task_id, seq from dispatch_event
          where task_id = any (${taskIds}::bigint[])
            and (task_id, seq) > (${after.task_id}::bigint, ${after.seq}::integer)
          order by task_id, seq limit ${pageRows}
        ) key
        join dispatch_event event using (task_id, seq)
      ) page
    ) page
    where octets_before < ${octets}
    order by task_id, seq`.execute(db);
  return rows;
}

/** What a step tells of itself never takes the place of what is known of it. */
function describeStep(row: StepRow): Record<string, unknown> {
  const known = {
    host: row.node,
    task: row.action,
    result: row.result,
    start: row.started_at.toISOString(),
    end: row.ended_at.toISOString(),
  };
  return { ...known, ...row.detail, ...known };
}

async function countSteps(db: Kysely<Tables>, taskIds: readonly string[]): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from dispatch_event where task_id = any (${taskIds}::bigint[])`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}

function formatCut(texts: readonly string[], count: number): string {
  return `[${[...texts, JSON.stringify({ omitted: count - texts.length })].join(',')}]`;
}
