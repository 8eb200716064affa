// A request that failed as a whole, in the shape of the service's document.
import { crontabStates } from '../../../contracts/crontab.ts';
import { errorCatalog, type ProbeTaskError } from '../../../contracts/errors.ts';

/** Key under which the details of an error hold a state of their own. */
export const stateDetail = 'state';

/** `{state, msg, data}`: state 1 for a fault of the request, -1 for one that is not. */
export function formatCrontabError({ code, message, details }: ProbeTaskError): {
  state: number;
  msg: string;
  data: Record<string, never>;
} {
  const given = details?.[stateDetail];
  return { state: typeof given === 'number' ? given : stateOf(code), msg: message, data: {} };
}

function stateOf(code: ProbeTaskError['code']): number {
  const { status, retryable } = errorCatalog[code];
  return status < 500 && !retryable ? crontabStates.parameter : crontabStates.system;
}
