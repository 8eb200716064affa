// The one catalogue of error codes that a reply can carry, and the error that carries one.
import { z } from 'zod';

/** Every code with its status (HTTP vocabulary) and whether the same request may succeed later. */
export const errorCatalog = {
  INVALID_JSON: { status: 400, retryable: false, summary: 'The body is not UTF-8 JSON.' },
  INVALID_REQUEST: {
    status: 400,
    retryable: false,
    summary: 'The body does not fit the schema; details name every fault.',
  },
  UNAUTHORIZED: {
    status: 401,
    retryable: false,
    summary: 'Said by the HTTP services: the request carries no key that lets it in.',
  },
  NOT_FOUND: { status: 404, retryable: false, summary: 'There is nothing with this id.' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    retryable: false,
    summary: 'Said by the HTTP services: this path takes another method.',
  },
  CONFLICT: { status: 409, retryable: false, summary: 'The change contradicts what is stored.' },
  PLAN_TOO_LARGE: {
    status: 413,
    retryable: false,
    summary: 'The request would make more probe cells than allowed.',
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    retryable: false,
    summary: 'The request or the reply is larger than one message may be.',
  },
  OVERLOADED: { status: 429, retryable: true, summary: 'The service has all the requests it can hold.' },
  INTERNAL: { status: 500, retryable: false, summary: 'A fault of the service itself.' },
  NO_AGENTS: { status: 503, retryable: true, summary: 'No live agent matches the group and regions.' },
  UNAVAILABLE: {
    status: 503,
    retryable: true,
    summary: 'The database is away, or nobody serves the subject.',
  },
  AGENTS_SILENT: {
    status: 504,
    retryable: true,
    summary: 'Agents matched, and none of them replied in time.',
  },
  TIMEOUT: {
    status: 504,
    retryable: true,
    summary: 'Said by clients: no reply came in time; the request may have been carried out.',
  },
} as const;

export type ErrorCode = keyof typeof errorCatalog;

/** Is this a code of the catalogue? */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalog, code);
}

/** Body of every error reply. `code` is a string so that a caller can read codes newer than itself. */
export const errorReplySchema = z.looseObject({
  error: z.looseObject({
    code: z.string(),
    status: z.int(),
    message: z.string(),
    retryable: z.boolean(),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
});
export type ErrorReply = {
  error: {
    code: ErrorCode;
    status: number;
    message: string;
    retryable: boolean;
    details?: Record<string, unknown>;
  };
};

/** A failure that a caller is told by code. Everything else that is thrown is a bug and becomes `INTERNAL`. */
export class ProbeTaskError extends Error {
  override readonly name = 'ProbeTaskError';
  readonly code: ErrorCode;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string, details?: Record<string, unknown>) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** The reply body for a coded error. */
export function formatErrorReply(error: ProbeTaskError): ErrorReply {
  const { status, retryable } = errorCatalog[error.code];
  return {
    error: {
      code: error.code,
      status,
      message: error.message,
      retryable,
      ...(error.details === undefined ? {} : { details: error.details }),
    },
  };
}

const maxFaults = 20;
const maxFaultText = 200;

/** One thing wrong with a message; `path` with dots, empty for the whole of it. */
export type Fault = { path: string; reason: string };

/** The `INVALID_REQUEST` for these faults: the first 20 with path and reason, and the number of all. */
export function invalidRequest(faults: Fault[], total = faults.length): ProbeTaskError {
  return new ProbeTaskError('INVALID_REQUEST', describeFaults(faults, total), {
    faults: faults.slice(0, maxFaults).map(({ path, reason }) => ({ path: cut(path), reason: cut(reason) })),
    total,
  });
}

/** The first fault, and how many more there are. */
export function describeFaults([first]: Fault[], total: number): string {
  const more = total > 1 ? ` (and ${total - 1} more)` : '';
  return `${cut(first?.path || 'request')}: ${cut(first?.reason ?? 'invalid')}${more}`;
}

/** A path holds keys of the caller's, which may be as long as a message. */
function cut(text: string): string {
  return text.length > maxFaultText ? `${text.slice(0, maxFaultText)}…` : text;
}

/** The faults that a failed parse found, the first 20 of them. */
export function faultsOf(error: z.ZodError): Fault[] {
  return error.issues
    .slice(0, maxFaults)
    .map(({ path, message }) => ({ path: path.map(String).join('.'), reason: message }));
}
