// Finds tasks by what callers know of them.
import { type Kysely, sql } from 'kysely';
import type { DispatchStatus, DispatchTaskKey } from '../../../contracts/dispatch.ts';
import type { Database } from '../../../infra/database/database.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { taskNotFound } from './format-error.ts';

export type TaskRow = {
  id: string;
  name: string;
  isParent: boolean;
  nodes: string[];
  status: DispatchStatus;
  err: string | null;
  createdAt: Date;
  updatedAt: Date;
};

const columns = sql<TaskRow>`
  id, name, is_parent as "isParent", nodes, status, err, created_at as "createdAt", updated_at as "updatedAt"`;

/** Longer than any name: that of a child has the node before it. */
const maxNameLength = 512;

/** Throws `NOT_FOUND`; where an id and a name are given, also when they are of two tasks. */
export async function findTask(db: Kysely<Tables>, { id, name }: DispatchTaskKey): Promise<TaskRow> {
  if (name !== undefined && !canBeStored(name)) throw taskNotFound();
  const { rows } = await sql<TaskRow>`
    select ${columns} from dispatch_task
    where ${id === undefined ? sql`true` : sql`id = ${id}`} and ${name === undefined ? sql`true` : sql`name = ${name}`}`.execute(
    db,
  );
  const [task] = rows;
  if (task === undefined) throw taskNotFound();
  return task;
}

/** In the order of the nodes. */
export async function findChildren(db: Kysely<Tables>, parentId: string): Promise<TaskRow[]> {
  const { rows } = await sql<TaskRow>`
    select ${columns} from dispatch_task where parent_id = ${parentId} order by id`.execute(db);
  return rows;
}

/** Text that Postgres takes, and takes as it is: there is no row with any other. */
export function canBeStored(text: string): boolean {
  return text.length <= maxNameLength && text.isWellFormed() && !text.includes('\0');
}

/** The task that has the first of these names that is taken. */
export async function findOwner(database: Database, names: readonly string[]): Promise<string> {
  const { rows } = await database.run((db) =>
    sql<{ id: string }>`
      select id from dispatch_task where name = any (${names}::text[])
      order by array_position(${names}::text[], name) limit 1`.execute(db),
  );
  const [owner] = rows;
  if (owner === undefined) throw new Error('a name was taken by no task');
  return owner.id;
}
