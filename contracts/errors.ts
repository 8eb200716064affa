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
  NOT_FOUND: { status: 404, retryable: false, summary: 'There is nothing with this id.' },
  CONFLICT: { status: 409, retryable: false, summary: 'The change contradicts what is stored.' },
  PLAN_TOO_LARGE: {
    status: 413,
    retryable: false,
    summary: 'The request would make more probe cells than allowed.',
  },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false, summary: 'The reply does not fit into one message.' },
  OVERLOADED: { status: 429, retryable: true, summary: 'The service has all the requests it can hold.' },
  INTERNAL: { status: 500, retryable: false, summary: 'A fault of the service itself.' },
  NO_AGENTS: { status: 503, retryable: true, summary: 'No live agent matches the group and regions.' },
  UNAVAILABLE: { status: 503, retryable: true, summary: 'The database is away.' },
  AGENTS_SILENT: {
    status: 504,
    retryable: true,
    summary: 'Agents matched, and none of them replied in time.',
  },
} as const;

export type ErrorCode = keyof typeof errorCatalog;

export const errorCodeSchema = z.enum([
  'INVALID_JSON',
  'INVALID_REQUEST',
  'NOT_FOUND',
  'CONFLICT',
  'PLAN_TOO_LARGE',
  'PAYLOAD_TOO_LARGE',
  'OVERLOADED',
  'INTERNAL',
  'NO_AGENTS',
  'UNAVAILABLE',
  'AGENTS_SILENT',
] satisfies ErrorCode[]);

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

/** The `INVALID_REQUEST` for a failed parse: path and reason of its faults (the first 20) and their number. */
export function invalidRequest(error: z.ZodError): ProbeTaskError {
  const faults = error.issues.slice(0, maxFaults).map(({ path, message }) => ({
    path: path.map(String).join('.'),
    reason: message,
  }));
  const first = faults[0];
  const where = first === undefined || first.path === '' ? 'request' : first.path;
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : '';
  return new ProbeTaskError('INVALID_REQUEST', `${where}: ${first?.reason ?? 'invalid'}${more}`, {
    faults,
    total: error.issues.length,
  });
}
