// What a failed connection is called in the outcome of a call.
import { errors } from 'undici';
import { describeError, systemErrorCode } from '../../../infra/error-text.ts';
import type { CallbackFaultCode } from './callback.ts';
import { ForbiddenNetwork } from './guarded-connect.ts';

type Fault = { code: CallbackFaultCode; reason: string };

/** By the codes of Node.js and undici. */
const faults: Record<string, Fault> = {
  ECONNREFUSED: { code: 'CONN_REFUSED', reason: 'nobody listens there' },
  ENOTFOUND: { code: 'NETWORK_ERROR', reason: 'DNS: the name does not exist' },
  EAI_AGAIN: { code: 'NETWORK_ERROR', reason: 'DNS: the name servers do not answer' },
  ETIMEDOUT: { code: 'TIMEOUT', reason: 'the host does not answer' },
  UND_ERR_CONNECT_TIMEOUT: { code: 'TIMEOUT', reason: 'the host does not answer' },
  ECONNRESET: { code: 'NETWORK_ERROR', reason: 'the connection was reset before the reply was complete' },
  EPIPE: { code: 'NETWORK_ERROR', reason: 'the connection was closed before the request was sent' },
  UND_ERR_SOCKET: {
    code: 'NETWORK_ERROR',
    reason: 'the connection was closed before the reply was complete',
  },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: {
    code: 'NETWORK_ERROR',
    reason: 'the connection was closed before the reply was complete',
  },
  UND_ERR_HEADERS_OVERFLOW: { code: 'BAD_REPLY', reason: 'headers over 16 KiB' },
  // What the parser lets pass and the client does not, such as a status below 100.
  ERR_ASSERTION: { code: 'BAD_REPLY', reason: 'not HTTP' },
  UND_ERR_INVALID_ARG: { code: 'BAD_CALLBACK', reason: 'the request cannot be written as HTTP' },
  UND_ERR_DESTROYED: { code: 'ABORTED', reason: 'this service is stopping' },
  UND_ERR_CLOSED: { code: 'ABORTED', reason: 'this service is stopping' },
};

const tlsCodes = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_|EPROTO$)/;

/** Code and reason of what went wrong with a connection, or with the reply on it. */
export function explainConnectionFault(error: unknown): Fault {
  if (error instanceof ForbiddenNetwork) return { code: 'FORBIDDEN_NETWORK', reason: error.message };
  const errorCode = systemErrorCode(error) ?? '';
  const known = faults[errorCode];
  if (known !== undefined) return known;
  const text = describeError(error);
  if (error instanceof errors.HTTPParserError) return { code: 'BAD_REPLY', reason: `not HTTP: ${text}` };
  if (tlsCodes.test(errorCode)) return { code: 'NETWORK_ERROR', reason: `TLS: ${text}` };
  return { code: 'NETWORK_ERROR', reason: text };
}
