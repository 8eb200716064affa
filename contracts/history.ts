// What the calls about the past share: moments, and pages by cursor.
import { z } from 'zod';
import { taskIdSchema } from './task.ts';

/** Unix seconds, or an ISO 8601 date-time with its offset. */
export const momentSchema = z
  .union([z.number().min(0).max(253_402_300_799), z.iso.datetime({ offset: true })], {
    error: 'expected Unix seconds or an ISO 8601 date-time with its offset',
  })
  .transform((moment) => new Date(typeof moment === 'number' ? moment * 1000 : moment));

/** A page: `limit` entries, 100 unless given, from `cursor` on. */
export const pageShape = {
  limit: z
    .int()
    .min(1)
    .max(1000)
    .nullish()
    .transform((limit) => limit ?? 100),
  /** The `next_cursor` of the page before. */
  cursor: z.string().max(500).nullish(),
};

/** A task, a span of nominal times (`from` is included, `to` is not) and a page. */
export const historyRequestShape = {
  task_id: taskIdSchema.nullish(),
  from: momentSchema.nullish(),
  to: momentSchema.nullish(),
  ...pageShape,
};

/** Where the next page starts; null on the last one. */
export const historyReplyShape = { next_cursor: z.string().nullable() };
