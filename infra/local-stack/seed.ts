// What a first run finds in its database: group 1, the regions of the three local agents.
import { sql } from 'kysely';
import { createDatabase } from '../database/database.ts';
import { createLogger } from '../logger.ts';

const seededGroup = 1;
const seededPlaces = [
  { country: '86', province: '440000', city: '440400', carrier: '电信' },
  { country: '86', province: '110000', city: '110100', carrier: '联通' },
  { country: '86', province: '310000', city: '310100', carrier: '移动' },
];

/** Stores group 1 in a database without any group. What users made of it later stays. */
export async function seedFirstRun(databaseUrl: string): Promise<void> {
  const database = createDatabase({
    url: databaseUrl,
    maxConnections: 1,
    logger: createLogger('seed', 'warn'),
  });
  try {
    await database.run((db) =>
      db
        .insertInto('probe_group_detail')
        .columns(['group_id', 'country', 'province', 'city', 'carrier'])
        .expression(
          sql`
            select ${seededGroup}::integer, country, province, city, carrier
            from jsonb_to_recordset(${JSON.stringify(seededPlaces)}::jsonb)
              as place (country text, province text, city text, carrier text)
            where not exists (select from probe_group_detail)`,
        )
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    );
  } finally {
    await database.stop();
  }
}
