// The OpenAPI document of the crontab service against the official schema, and against the contract it describes.
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { crontabCalls } from '../../contracts/crontab-api.ts';
import { createCrontabDocument } from '../../contracts/crontab-openapi.ts';
import type { HttpCall } from '../../contracts/http-call.ts';
import { compileJsonSchema2020, describeFaults } from './json-schema-validator.ts';

const document = createCrontabDocument();
const fields = z.record(z.string(), z.unknown());
const contentSchema = z.object({
  'application/json': z.object({ schema: z.object({ $ref: z.string() }), example: z.unknown() }),
});

describe('the official schema of OpenAPI 3.1', () => {
  test('takes the document', async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document))).toMatchObject({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  test('refuses a call without replies of the right form', async () => {
    const broken = { ...document, paths: { '/x': { post: { responses: 7 } } } };
    expect(await new Validator().validate(broken)).toMatchObject({ valid: false });
  });
});

test('every call is a path, and every path a call', () => {
  const calls = Object.entries<HttpCall>(crontabCalls).map(([name, { path }]) => [path, name]);
  expect(Object.entries(document.paths).map(([path, { post }]) => [path, post.operationId])).toEqual(calls);
});

test('every reference leads somewhere', () => {
  const references = collect(document, '$ref');
  expect(references.length).toBeGreaterThan(50);
  for (const reference of references) expect(resolve(reference), String(reference)).toBeDefined();
});

test('every field is told in words', () => {
  const named = collectFields(document.components.schemas);
  expect(named.length).toBeGreaterThan(100);
  const silent = named.filter(([, schema]) => fields.parse(schema).description === undefined);
  expect([...new Set(silent.map(([name]) => name))]).toEqual([]);
});

describe.each(Object.entries<HttpCall>(crontabCalls))(
  'the example of %s',
  (_name, { path, request, reply }) => {
    const { requestBody, responses } = document.paths[path]?.post ?? {};

    test('passes the contract', () => {
      expect(request.safeParse(exampleIn(requestBody?.content))).toMatchObject({ success: true });
      expect(reply.safeParse(exampleIn(responses?.[200]?.content))).toMatchObject({ success: true });
    });

    test('passes the schemas of the document, as those of its errors do', () => {
      const replies = Object.values(responses ?? {}).map((reply) =>
        '$ref' in reply ? resolve(reply.$ref) : reply,
      );
      const contents = [requestBody, ...replies].map((part) => fields.parse(part).content);
      expect(contents).toHaveLength(8);
      for (const content of contents) {
        const { schema, example } = contentSchema.parse(content)['application/json'];
        const validate = compileJsonSchema2020(fields.parse(resolve(schema.$ref)));
        expect(validate(example), describeFaults(validate)).toBe(true);
      }
    });
  },
);

test.each([
  ['a list of nothing', 'AddTaskRequest', { task_list: [] }],
  ['a task without a name', 'AddTaskRequest', { task_list: [{ enable: 1 }] }],
  ['a limit of a million', 'ListTaskRequest', { limit: 1_000_000 }],
  ['a reply without a state', 'AddTaskReply', { msg: '', data: { task_result: [] } }],
])('%s is refused', (_, component, message) => {
  const schema = document.components.schemas[component] ?? {};
  expect(compileJsonSchema2020(schema)(message)).toBe(false);
});

function exampleIn(content: unknown): unknown {
  return contentSchema.parse(content)['application/json'].example;
}

function collect(value: unknown, key: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Object.entries(value).flatMap(([name, item]) => (name === key ? [item] : []));
  return [...own, ...Object.values(value).flatMap((item) => collect(item, key))];
}

/** Every field of every object schema with its own schema. */
function collectFields(schemas: unknown): [name: string, schema: unknown][] {
  return collect(schemas, 'properties').flatMap((properties) => Object.entries(fields.parse(properties)));
}

function resolve(reference: unknown): unknown {
  let found: unknown = document;
  for (const key of String(reference).split('/').slice(1)) found = fields.parse(found)[key];
  return found;
}
