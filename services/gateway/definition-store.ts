// Domain groups, probe groups and regional resolvers in Postgres.
import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { DatabaseError } from 'pg';
import type { z } from 'zod';
import type {
  DomainGroup,
  domainGroupCreateRequestSchema,
  domainGroupGetRequestSchema,
  domainGroupUpdateRequestSchema,
  GroupDetail,
  groupDetailSetRequestSchema,
  LocalDns,
  localDnsSetRequestSchema,
} from '../../contracts/definitions.ts';
import { ProbeTaskError } from '../../contracts/errors.ts';
import type { PlacePattern } from '../../contracts/place.ts';
import type { Database } from '../../infra/database/database.ts';
import { cutPage, type Page } from './page.ts';

const placeColumns = ['country', 'province', 'city', 'carrier'] as const;

export type DefinitionStore = ReturnType<typeof createDefinitionStore>;

/** Every method throws `UNAVAILABLE` while the database is away; `delete…` and `update…` throw `NOT_FOUND`. */
export function createDefinitionStore(database: Database) {
  return {
    /** In the order of their ids. */
    listDomainGroups: ({
      limit,
      cursor,
    }: z.output<typeof domainGroupGetRequestSchema>): Promise<Page<DomainGroup>> =>
      database.run(async (db) => {
        let query = db.selectFrom('domain_group').select(['id', 'name', 'domains']).orderBy('id');
        if (cursor != null) query = query.where('id', '>', cursor);
        if (limit != null) query = query.limit(limit + 1);
        return cutPage(await query.execute(), limit, ({ id }) => String(id));
      }),

    /** The group that is there when it has the same name and domains; throws `CONFLICT` when it has other domains. */
    createDomainGroup: (group: z.output<typeof domainGroupCreateRequestSchema>): Promise<DomainGroup> =>
      database.run(async (db) => {
        const stored = await db
          .insertInto('domain_group')
          .values(group)
          // Changes nothing; `do nothing` would return no row, and that row could be gone by the time it is looked for.
          .onConflict((conflict) =>
            conflict.column('name').doUpdateSet((row) => ({ name: row.ref('excluded.name') })),
          )
          .returning(['id', 'name', 'domains'])
          .executeTakeFirstOrThrow();
        if (!isDeepStrictEqual(stored.domains, group.domains)) throw nameTaken(group.name);
        return stored;
      }),

    /** Throws `NOT_FOUND`, or `CONFLICT` when the name is taken. */
    updateDomainGroup: ({
      id,
      ...change
    }: z.output<typeof domainGroupUpdateRequestSchema>): Promise<DomainGroup> =>
      database.run(async (db) => {
        const group = await refuseTakenName(
          change.name ?? '',
          db
            .updateTable('domain_group')
            .set({
              ...(change.name === undefined ? {} : { name: change.name }),
              ...(change.domains === undefined ? {} : { domains: change.domains }),
              updated_at: sql<Date>`now()`,
            })
            .where('id', '=', id)
            .returning(['id', 'name', 'domains'])
            .executeTakeFirst(),
        );
        if (group === undefined) throw domainGroupNotFound(id);
        return group;
      }),

    /** Throws `NOT_FOUND`, or `CONFLICT` while a task uses the group. */
    deleteDomainGroup: (id: number): Promise<void> =>
      database.transact(async (db) => {
        // Waits for tasks being written with this group, and keeps new ones out until it is gone.
        const group = await db
          .selectFrom('domain_group')
          .select('id')
          .where('id', '=', id)
          .forUpdate()
          .executeTakeFirst();
        if (group === undefined) throw domainGroupNotFound(id);
        const users = await db
          .selectFrom('probe_task')
          .select('task_id')
          .where(
            sql<boolean>`target @> ${JSON.stringify([{ type: 'domain_group', domain_group_id: id }])}::jsonb`,
          )
          .orderBy('task_id')
          .limit(10)
          .execute();
        if (users.length > 0) {
          const taskIds = users.map(({ task_id }) => task_id);
          throw new ProbeTaskError('CONFLICT', `domain group ${id} is used by task ${taskIds.join(', ')}`, {
            task_ids: taskIds,
          });
        }
        await db.deleteFrom('domain_group').where('id', '=', id).execute();
      }),

    listGroupDetails: (): Promise<GroupDetail[]> =>
      database.run((db) =>
        db
          .selectFrom('probe_group_detail')
          .select(['group_id', ...placeColumns])
          .orderBy('group_id')
          .orderBy('country')
          .orderBy('province')
          .orderBy('city')
          .orderBy('carrier')
          .execute(),
      ),

    /** Replaces the places of the group; a place given twice counts once. */
    setGroupDetails: ({
      group_id,
      details,
    }: z.output<typeof groupDetailSetRequestSchema>): Promise<GroupDetail[]> =>
      database.transact(async (db) => {
        // Two sets of one group at once would otherwise leave the union of both.
        await sql`select pg_advisory_xact_lock(hashtext('probe_group_detail'), ${group_id})`.execute(db);
        await db.deleteFrom('probe_group_detail').where('group_id', '=', group_id).execute();
        return db
          .insertInto('probe_group_detail')
          .values(details.map((place) => ({ group_id, ...place })))
          .onConflict((conflict) => conflict.doNothing())
          .returning(['group_id', ...placeColumns])
          .execute();
      }),

    deleteGroup: (groupId: number): Promise<void> =>
      database.run(async (db) => {
        const { numDeletedRows } = await db
          .deleteFrom('probe_group_detail')
          .where('group_id', '=', groupId)
          .executeTakeFirstOrThrow();
        if (numDeletedRows === 0n) {
          throw new ProbeTaskError('NOT_FOUND', `there is no group ${groupId}`, { group_id: groupId });
        }
      }),

    listLocalDns: (): Promise<LocalDns[]> =>
      database.run((db) =>
        db
          .selectFrom('local_dns')
          .select([...placeColumns, 'ips'])
          .orderBy('country')
          .orderBy('province')
          .orderBy('city')
          .orderBy('carrier')
          .execute(),
      ),

    setLocalDns: (row: z.output<typeof localDnsSetRequestSchema>): Promise<LocalDns> =>
      database.run((db) =>
        db
          .insertInto('local_dns')
          .values(row)
          .onConflict((conflict) => conflict.columns(placeColumns).doUpdateSet({ ips: row.ips }))
          .returning([...placeColumns, 'ips'])
          .executeTakeFirstOrThrow(),
      ),

    deleteLocalDns: (place: PlacePattern): Promise<void> =>
      database.run(async (db) => {
        let query = db.deleteFrom('local_dns');
        for (const column of placeColumns) query = query.where(column, '=', place[column]);
        const { numDeletedRows } = await query.executeTakeFirstOrThrow();
        if (numDeletedRows === 0n)
          throw new ProbeTaskError('NOT_FOUND', 'there are no resolvers for this place', place);
      }),
  };
}

const uniqueViolation = '23505';

async function refuseTakenName<Row>(name: string, write: Promise<Row>): Promise<Row> {
  try {
    return await write;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== uniqueViolation) throw error;
    throw nameTaken(name);
  }
}

function nameTaken(name: string): ProbeTaskError {
  return new ProbeTaskError('CONFLICT', `there is a domain group of the name ${name} already`);
}

function domainGroupNotFound(id: number): ProbeTaskError {
  return new ProbeTaskError('NOT_FOUND', `there is no domain group ${id}`, { domain_group_id: id });
}
