// Faults of single arguments of the task command.
import { taskIdSchema } from '../../../contracts/task.ts';
import { findRepeated, quote } from '../parse-options.ts';

const count = /^[1-9]\d{0,8}$/;

/** Of arguments that name tasks, at least one of them. */
export function findMissingIds(ids: readonly string[]): string[] {
  return ids.length === 0 ? ['ID is missing'] : findIdFaults(ids);
}

/** Of arguments that name one task at most. */
export function findSurplusIds(ids: readonly string[]): string[] {
  return ids.length > 1 ? [`ID ${quote(ids[1])}: one task only`] : [];
}

export function findIdFaults(ids: readonly string[]): string[] {
  return ids
    .filter((id) => !taskIdSchema.safeParse(id).success)
    .map((id) => `ID ${quote(id)}: expected a task id, digits only, as list shows it`);
}

export function findLimitFaults(limits: readonly string[]): string[] {
  return [
    ...findRepeated({ '--limit': limits }),
    ...limits
      .filter((limit) => !count.test(limit))
      .map((limit) => `--limit ${quote(limit)}: expected a whole number above 0`),
  ];
}
