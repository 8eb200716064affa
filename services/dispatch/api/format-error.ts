// A request that failed, in the shape and the words of the service's document.
import type { z } from 'zod';
import {
  dispatchCodes,
  type dispatchErrorSchema,
  dispatchStatusOf,
} from '../../../contracts/dispatch-api.ts';
import { ProbeTaskError } from '../../../contracts/errors.ts';

type DispatchError = z.input<typeof dispatchErrorSchema>;

/** `{code: -1, message}`; of a name that is taken, the id of the task that has it, too. */
export function formatDispatchError({ code, message, details }: ProbeTaskError): DispatchError {
  if (code === 'INVALID_JSON') return fail('json encode error');
  if (code === 'INVALID_REQUEST') return fail(`param error, error: ${message}`);
  const owner = details?.[ownerDetail];
  if (code !== 'CONFLICT' || typeof owner !== 'string') return fail(message);
  return { ...fail(message), content: { id: Number(owner) } };
}

/** HTTP status of an error. */
export function statusOfDispatchError({ code }: ProbeTaskError): number {
  return dispatchStatusOf(code);
}

const ownerDetail = 'owner';

/** `taskId`: the task that has the name. */
export function nameTaken(taskId: string): ProbeTaskError {
  return new ProbeTaskError('CONFLICT', 'task name is duplicate', { [ownerDetail]: taskId });
}

export function taskNotFound(): ProbeTaskError {
  return new ProbeTaskError('NOT_FOUND', 'task not found...');
}

function fail(message: string): DispatchError {
  return { code: dispatchCodes.failure, message };
}
