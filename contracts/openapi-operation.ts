// One call of an HTTP service as an operation of an OpenAPI 3.1 document.
import { z } from 'zod';
import type { HttpCall, HttpCallHeader } from './http-call.ts';
import type { JsonSchema } from './json-schemas.ts';
import { referenceTo, type SchemaContext, schemaOf } from './openapi-schema.ts';

export type HttpExample = { request: unknown; reply: unknown };

export type Reference = { $ref: string };
export type Content = { 'application/json': { schema: Reference; example?: unknown } };
export type Reply = { description: string; content: Content };
export type Parameter = {
  name: string;
  in: 'header' | 'query';
  required: boolean;
  description: string;
  schema: JsonSchema;
  example?: unknown;
};

export type Operation = {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  parameters?: Parameter[];
  /** None in a GET. */
  requestBody?: { required: true; content: Content };
  /** By status: the reply, and the errors by reference. */
  responses: { 200: Reply; [status: string]: Reply | Reference };
};

export type DescribedCall = {
  operation: Operation;
  /** Of its request, if that is a body, and of its reply, by their names. */
  schemas: Record<string, JsonSchema>;
};

/** `name` is that of the call; `errors` are references by status. */
export function describeCall(
  name: string,
  call: HttpCall,
  options: { tag: string; example: HttpExample; errors: Record<string, Reference>; context: SchemaContext },
): DescribedCall {
  const { tag, example, errors, context } = options;
  const { summary, aliases, headers = [], request, reply } = call;
  const hasQuery = call.method === 'GET';
  const component = name.charAt(0).toUpperCase() + name.slice(1);
  const parameters = [
    ...(hasQuery ? queryParametersOf(request, example.request, context) : []),
    ...headers.map(headerParameterOf),
  ];
  return {
    operation: {
      operationId: name,
      tags: [tag],
      summary,
      ...(aliases === undefined ? {} : { description: `Also under ${aliases.join(', ')}.` }),
      ...(parameters.length === 0 ? {} : { parameters }),
      ...(!hasQuery && {
        requestBody: { required: true, content: json(`${component}Request`, example.request) },
      }),
      responses: {
        200: { description: 'The reply.', content: json(`${component}Reply`, example.reply) },
        ...errors,
      },
    },
    schemas: {
      ...(!hasQuery && { [`${component}Request`]: schemaOf(request, context) }),
      [`${component}Reply`]: schemaOf(reply, context),
    },
  };
}

export function json(schema: string, example: unknown): Content {
  return { 'application/json': { schema: { $ref: referenceTo(schema) }, example } };
}

function headerParameterOf({ name, description, isRequired }: HttpCallHeader): Parameter {
  return { name, in: 'header', required: isRequired, description, schema: { type: 'string' } };
}

const fieldsSchema = z.record(z.string(), z.unknown());

/** Each field of the request is a parameter. */
function queryParametersOf(request: z.ZodType, example: unknown, context: SchemaContext): Parameter[] {
  const { properties = {}, required = [] } = schemaOf(request, context);
  const examples = fieldsSchema.parse(example);
  return Object.entries(properties).flatMap(([name, schema]): Parameter[] => {
    // `true` and `false` are schemas, too, and none of ours.
    if (typeof schema === 'boolean') return [];
    const { description = '', ...given } = schema;
    const shown = Object.hasOwn(examples, name) ? { example: examples[name] } : {};
    return [{ name, in: 'query', required: required.includes(name), description, schema: given, ...shown }];
  });
}
