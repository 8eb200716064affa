// What a task refers to has to exist when the task is written.
import { sql, type Transaction } from 'kysely';
import { ProbeTaskError } from '../../contracts/errors.ts';
import type { Target, TaskUpdateRequest } from '../../contracts/task.ts';
import type { Tables } from '../../infra/database/tables.ts';

/**
 * Throws `NOT_FOUND` for a domain group or a group that does not exist. Holds the domain groups until the transaction
 * ends, so that none is deleted between the check and the write. A group exists by its places, or by an agent that has
 * its id: a live one (`isGroupOfAgent`, asked first), or one that runs recurring tasks and may be away.
 */
export async function requireReferences(
  db: Transaction<Tables>,
  { target = [], group_id: groupId }: Pick<Partial<TaskUpdateRequest>, 'target' | 'group_id'>,
  isGroupOfAgent: (groupId: number) => boolean,
): Promise<void> {
  const ids = [...new Set(target.flatMap(domainGroupsOf))];
  if (ids.length > 0) {
    const rows = await db
      .selectFrom('domain_group')
      .select('id')
      .where('id', '=', sql<number>`any(${ids})`)
      .forKeyShare()
      .execute();
    const missing = ids.filter((id) => !rows.some((row) => row.id === id));
    if (missing.length > 0) {
      throw new ProbeTaskError('NOT_FOUND', `there is no domain group ${missing.slice(0, 10).join(', ')}`, {
        domain_group_ids: missing.slice(0, 100),
      });
    }
  }
  if (groupId == null || isGroupOfAgent(groupId)) return;
  const { rows } = await sql`
    select where exists (select from probe_group_detail where group_id = ${groupId})
      or exists (select from agent where ${groupId}::integer = any(groups))`.execute(db);
  if (rows.length === 0)
    throw new ProbeTaskError('NOT_FOUND', `there is no group ${groupId}`, { group_id: groupId });
}

function domainGroupsOf(target: Target): number[] {
  return target.type === 'domain_group' ? [target.domain_group_id] : [];
}
