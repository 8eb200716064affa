// The calls of an HTTP service as an OpenAPI 3.1 document.
import type { z } from 'zod';
import { type ErrorCode, errorCatalog, isErrorCode } from './errors.ts';
import type { HttpCall, HttpMethod } from './http-call.ts';
import type { JsonSchema } from './json-schemas.ts';
import {
  describeCall,
  type HttpExample,
  json,
  type Operation,
  type Reference,
  type Reply,
} from './openapi-operation.ts';
import { schemaOf } from './openapi-schema.ts';

/** What a document is made from. */
export type HttpApi<Calls extends Record<string, HttpCall>> = {
  title: string;
  /** Markdown. */
  description: string;
  calls: Calls;
  examples: { readonly [Name in keyof Calls]: HttpExample };
  /** By the name of a field, which means the same wherever it stands: what its schema cannot say. */
  notes: Readonly<Record<string, string>>;
  /** By their names: schemas that stand in the document once, however many others have them. */
  components?: Readonly<Record<string, z.ZodType>>;
  /** Body of a reply that is an error; and which errors every call may come back with, unless it is the usual ones. */
  error: { schema: z.ZodType; example: (code: ErrorCode) => unknown; replies?: HttpErrorReplies };
};

/** Errors with a status each, which no other has. */
export type HttpErrorReplies = Partial<Record<ErrorCode, { status: number; description: string }>>;

export type OpenApiDocument = {
  openapi: '3.1.0';
  info: {
    title: string;
    version: string;
    description: string;
    license: { name: string; identifier: string };
  };
  paths: Record<string, { [Method in Lowercase<HttpMethod>]?: Operation }>;
  components: {
    schemas: Record<string, JsonSchema>;
    responses: Record<string, Reply>;
    securitySchemes: Record<string, unknown>;
  };
  [section: string]: unknown;
};

const usualErrorReplies: HttpErrorReplies = {
  INVALID_REQUEST: usual('INVALID_REQUEST', 'The body is not JSON, or does not fit its schema.'),
  UNAUTHORIZED: usual('UNAUTHORIZED', 'The request carries no key that lets it in.'),
  PAYLOAD_TOO_LARGE: usual('PAYLOAD_TOO_LARGE', 'The body is too large.'),
  OVERLOADED: usual(
    'OVERLOADED',
    'The service has all the requests it can hold; the same one may succeed later.',
  ),
  INTERNAL: usual('INTERNAL', 'A fault of the service; its log has the reason under the request id.'),
  UNAVAILABLE: usual(
    'UNAVAILABLE',
    'The database is away, or the service is being stopped; the same request may succeed later.',
  ),
};

const pathKeys = { GET: 'get', POST: 'post', PUT: 'put' } as const satisfies Record<HttpMethod, string>;

function usual(code: ErrorCode, description: string): { status: number; description: string } {
  return { status: errorCatalog[code].status, description };
}

/** Every call with its request, its reply and the errors, an example of each, and the keys that let in. */
export function createOpenApiDocument<Calls extends Record<string, HttpCall>>(
  api: HttpApi<Calls>,
): OpenApiDocument {
  const { title, description, calls, examples, notes, components = {}, error } = api;
  const { replies = usualErrorReplies } = error;
  const names = new Map(Object.entries(components).map(([name, schema]) => [schema, name]));
  const context = { notes, names };
  const errors = errorReferences(replies);
  const schemas: Record<string, JsonSchema> = { Error: schemaOf(error.schema, context) };
  const paths: OpenApiDocument['paths'] = {};
  for (const [name, call] of Object.entries<HttpCall>(calls)) {
    const example = examples[name] ?? { request: undefined, reply: undefined };
    const described = describeCall(name, call, { tag: title, example, errors, context });
    Object.assign(schemas, described.schemas);
    paths[call.path] = { ...paths[call.path], [pathKeys[call.method ?? 'POST']]: described.operation };
  }
  for (const [name, schema] of Object.entries(components)) schemas[name] = schemaOf(schema, context);
  return {
    openapi: '3.1.0',
    info: { title, version: '1.0.0', description, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/', description: 'The service that this document comes from.' }],
    paths,
    components: {
      schemas,
      responses: describeErrors(replies, error.example),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A key of the service.' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same.' },
      },
    },
    // The empty one: a service without keys is open.
    security: [{ bearer: [] }, { apiKey: [] }, {}],
  };
}

function describeErrors(
  replies: HttpErrorReplies,
  exampleOf: (code: ErrorCode) => unknown,
): Record<string, Reply> {
  return Object.fromEntries(
    listErrors(replies).map(([code, { description }]) => [
      code,
      { description, content: json('Error', exampleOf(code)) },
    ]),
  );
}

function errorReferences(replies: HttpErrorReplies): Record<string, Reference> {
  return Object.fromEntries(
    listErrors(replies).map(([code, { status }]) => [status, { $ref: `#/components/responses/${code}` }]),
  );
}

function listErrors(replies: HttpErrorReplies): [ErrorCode, { status: number; description: string }][] {
  return Object.entries(replies).flatMap(([code, reply]) => (isErrorCode(code) ? [[code, reply]] : []));
}
