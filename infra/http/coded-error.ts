// What went wrong with an HTTP request, as an error of the catalogue.
import { ProbeTaskError } from '../../contracts/errors.ts';
import { systemErrorCode } from '../error-text.ts';
import type { Logger } from '../logger.ts';
import { bodyTooLarge } from './body-guard.ts';

/** Makes the body of an error reply. */
export type FormatError = (error: ProbeTaskError) => unknown;
/** Gives the HTTP status of an error reply. */
export type StatusOf = (error: ProbeTaskError) => number;

/**
 * Coded errors as they are, faults of the request by their kind; anything else is a fault of ours and is logged.
 * `bodyLimit` is asked for a body that is over it.
 */
export function asCodedError(fault: unknown, bodyLimit: () => number, logger: Logger): ProbeTaskError {
  if (fault instanceof ProbeTaskError) return fault;
  if (systemErrorCode(fault) === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return bodyTooLarge(bodyLimit());
  }
  if (fault instanceof Error && isRequestFault(fault)) {
    return new ProbeTaskError('INVALID_REQUEST', fault.message);
  }
  logger.error({ err: fault }, 'a handler failed');
  return new ProbeTaskError('INTERNAL', 'the service failed; its log has the reason under this request id');
}

/** The framework marks what a caller did wrong with a status of its own. */
function isRequestFault(fault: Error): boolean {
  return (
    'statusCode' in fault &&
    typeof fault.statusCode === 'number' &&
    fault.statusCode >= 400 &&
    fault.statusCode < 500
  );
}

/** Headers that belong to a code. */
export function errorHeaders({ code, details }: ProbeTaskError): Record<string, string> {
  if (code === 'UNAUTHORIZED') return { 'www-authenticate': 'Bearer' };
  if (code === 'OVERLOADED') return { 'retry-after': '1' };
  if (code === 'METHOD_NOT_ALLOWED') return { allow: String(details?.allow ?? '') };
  return {};
}

/** What of a request could not be read at all; its status where that is one of HTTP's own (RFC 9110, RFC 6585). */
export function describeUnreadable(fault: unknown): { status: number | undefined; error: ProbeTaskError } {
  const code = systemErrorCode(fault) ?? '';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return unreadable('the request took too long to arrive', 408);
  if (code === 'HPE_HEADER_OVERFLOW') return unreadable('the header is too large', 431);
  return unreadable('this is no HTTP request');
}

function unreadable(message: string, status?: number): ReturnType<typeof describeUnreadable> {
  return { status, error: new ProbeTaskError('INVALID_REQUEST', message) };
}
