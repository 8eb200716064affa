// Whom a request is from, and what it belongs to: its headers.
import { dispatchHeaders } from '../../../contracts/dispatch-api.ts';
import type { Fault } from '../../../contracts/errors.ts';
import type { HttpContext } from '../../../infra/http/register-calls.ts';
import { missing } from './request-faults.ts';

export type Origin = {
  /** `global_id` in lines of the log. */
  globalId: string;
  source: string;
};

/** No control characters, line ends, marks of direction or halves of surrogate pairs. */
const printable = /^[^\p{C}\p{Zl}\p{Zp}]{1,128}$/u;
/** What octets that are no UTF-8 are read as. */
const replacement = '\uFFFD';

/** Of the two names of the source, one is enough; two that differ are a fault. */
export function readHeaders({ header }: Pick<HttpContext, 'header'>): { origin: Origin; faults: Fault[] } {
  const globalId = header(dispatchHeaders.globalId) ?? '';
  const [resource = '', older = ''] = dispatchHeaders.sources.map((name) => header(name));
  const source = resource === '' ? older : resource;
  const faults = [
    { path: 'X-CORRELATION-ID', reason: findFault(globalId) },
    { path: 'X-RESOURCE', reason: findFault(source) },
    {
      path: 'X-SOURCE',
      reason: older === '' || older === source ? undefined : 'says something else than X-RESOURCE',
    },
  ];
  return {
    origin: { globalId, source },
    faults: faults.flatMap(({ path, reason }) => (reason === undefined ? [] : [{ path, reason }])),
  };
}

function findFault(text: string): string | undefined {
  if (text === '') return missing;
  if (text.includes(replacement)) return 'is not UTF-8';
  return printable.test(text) ? undefined : 'expected 1 to 128 printable characters';
}
