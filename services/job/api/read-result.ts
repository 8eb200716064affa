// A result of megabytes, read as it is sent: neither this process nor its event loop has all of it at once.
import { sql } from 'kysely';
import type { Database } from '../../../infra/database/database.ts';
import { jobNotFound } from './task-id.ts';

/** The driver takes a few times as much for a moment, and nothing else is done meanwhile. */
const minPartOctets = 2 * 1024 * 1024;
/** For each of them the database unpacks all that is before it, too. */
const maxParts = 16;

/** What one reader has in memory: a part on its way out, and the next one coming in. */
export function readerOctets(size: number): number {
  return Math.min(size, 4 * partOctetsOf(size));
}

/** In order. Throws `NOT_FOUND` where it is cleared away meanwhile, and `UNAVAILABLE`. */
export async function* readResult(id: string, size: number, database: Database): AsyncGenerator<Buffer> {
  const partOctets = partOctetsOf(size);
  for (let from = 0; from < size; from += partOctets) {
    const { rows } = await database.run((db) =>
      sql<{ part: Buffer }>`
        select substring(result from ${from + 1}::integer for ${partOctets}::integer) as part
        from job_task where id = ${id}`.execute(db),
    );
    const [row] = rows;
    if (row === undefined) throw jobNotFound();
    yield row.part;
  }
}

function partOctetsOf(size: number): number {
  return Math.max(minPartOctets, Math.ceil(size / maxParts));
}
