// A request that failed as a whole, in the shape of the service's document.
import { crontabStateOf } from '../../../contracts/crontab-api.ts';
import type { ProbeTaskError } from '../../../contracts/errors.ts';

/** Key under which the details of an error hold a state of their own. */
export const stateDetail = 'state';

/** `{state, msg, data}`: the state that the details give, else that of the code. */
export function formatCrontabError({ code, message, details }: ProbeTaskError): {
  state: number;
  msg: string;
  data: Record<string, never>;
} {
  const given = details?.[stateDetail];
  return { state: typeof given === 'number' ? given : crontabStateOf(code), msg: message, data: {} };
}
