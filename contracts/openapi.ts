// The calls of an HTTP service as an OpenAPI 3.1 document.
import { z } from 'zod';
import { type ErrorCode, errorCatalog, isErrorCode } from './errors.ts';
import type { HttpCall, HttpCallHeader } from './http-call.ts';
import type { JsonSchema } from './json-schemas.ts';

export type HttpExample = { request: unknown; reply: unknown };

/** What a document is made from. */
export type HttpApi<Calls extends Record<string, HttpCall>> = {
  title: string;
  /** Markdown. */
  description: string;
  calls: Calls;
  examples: { readonly [Name in keyof Calls]: HttpExample };
  /** By the name of a field, which means the same wherever it stands: what its schema cannot say. */
  notes: Readonly<Record<string, string>>;
  /** Body of a reply that is an error; and which errors every call may come back with, unless it is the usual ones. */
  error: { schema: z.ZodType; example: (code: ErrorCode) => unknown; replies?: HttpErrorReplies };
};

/** Errors with a status each, which no other has. */
export type HttpErrorReplies = Partial<Record<ErrorCode, { status: number; description: string }>>;

type Reference = { $ref: string };
type Reply = { description: string; content: Content };
type Parameter = {
  name: string;
  in: 'header';
  required: boolean;
  description: string;
  schema: { type: 'string' };
};
type Content = { 'application/json': { schema: Reference; example?: unknown } };

export type OpenApiDocument = {
  openapi: '3.1.0';
  info: {
    title: string;
    version: string;
    description: string;
    license: { name: string; identifier: string };
  };
  paths: Record<
    string,
    {
      post: {
        operationId: string;
        tags: string[];
        summary: string;
        parameters?: Parameter[];
        requestBody: { required: true; content: Content };
        /** By status: the reply, and the errors by reference. */
        responses: { 200: Reply; [status: string]: Reply | Reference };
      };
    }
  >;
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

function usual(code: ErrorCode, description: string): { status: number; description: string } {
  return { status: errorCatalog[code].status, description };
}

/** Every call with its request, its reply and the errors, an example of each, and the keys that let in. */
export function createOpenApiDocument<Calls extends Record<string, HttpCall>>(
  api: HttpApi<Calls>,
): OpenApiDocument {
  const { title, description, calls, examples, notes, error } = api;
  const { replies = usualErrorReplies } = error;
  const schemas: Record<string, JsonSchema> = { Error: schemaOf(error.schema, notes) };
  const paths: OpenApiDocument['paths'] = {};
  for (const [name, { path, summary, headers, request, reply }] of Object.entries<HttpCall>(calls)) {
    const component = name.charAt(0).toUpperCase() + name.slice(1);
    schemas[`${component}Request`] = schemaOf(request, notes);
    schemas[`${component}Reply`] = schemaOf(reply, notes);
    paths[path] = {
      post: {
        operationId: name,
        tags: [title],
        summary,
        ...(headers === undefined ? {} : { parameters: headers.map(parameterOf) }),
        requestBody: { required: true, content: json(`${component}Request`, examples[name]?.request) },
        responses: {
          200: { description: 'The reply.', content: json(`${component}Reply`, examples[name]?.reply) },
          ...errorReferences(replies),
        },
      },
    };
  }
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

/** As seen by whoever writes the message: fields with a default are optional. */
function schemaOf(schema: z.ZodType, notes: Readonly<Record<string, string>>): JsonSchema {
  const { $schema: _, ...given } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    override({ jsonSchema, path }) {
      const field = path.at(-2) === 'properties' ? String(path.at(-1)) : '';
      const note = Object.hasOwn(notes, field) ? notes[field] : undefined;
      if (note !== undefined) jsonSchema.description = note;
    },
  });
  return given;
}

function json(schema: string, example: unknown): Content {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` }, example } };
}

function parameterOf({ name, description, isRequired }: HttpCallHeader): Parameter {
  return { name, in: 'header', required: isRequired, description, schema: { type: 'string' } };
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
