// The OpenAPI documents of the HTTP services against the official schema, and against the contracts they describe.
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { crontabCalls } from '../../contracts/crontab-api.ts';
import { createCrontabDocument } from '../../contracts/crontab-openapi.ts';
import { dispatchCalls } from '../../contracts/dispatch-api.ts';
import { createDispatchDocument } from '../../contracts/dispatch-openapi.ts';
import type { HttpCall } from '../../contracts/http-call.ts';
import type { OpenApiDocument } from '../../contracts/openapi.ts';
import { compileJsonSchema2020, describeFaults } from './json-schema-validator.ts';

type Service = {
  name: string;
  document: OpenApiDocument;
  calls: Record<string, HttpCall>;
  /** Statuses of errors that every call may come back with. */
  statuses: number[];
};

const crontab = createCrontabDocument();
const dispatch = createDispatchDocument();
const services: Service[] = [
  { name: 'crontab', document: crontab, calls: crontabCalls, statuses: [400, 401, 413, 429, 500, 503] },
  { name: 'dispatch', document: dispatch, calls: dispatchCalls, statuses: [400, 401, 404, 413, 429, 500] },
];
const fields = z.record(z.string(), z.unknown());
const contentSchema = z.object({
  'application/json': z.object({ schema: z.object({ $ref: z.string() }), example: z.unknown() }),
});

describe.each(services)('the document of $name', ({ document, calls, statuses }) => {
  test('is taken by the official schema of OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document))).toMatchObject({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  test('has a path for every call, and a call for every path', () => {
    const paths = Object.entries(calls).map(([name, { path }]) => [path, name]);
    expect(Object.entries(document.paths).map(([path, { post }]) => [path, post.operationId])).toEqual(paths);
  });

  test('has references that all lead somewhere', () => {
    const references = collect(document, '$ref');
    expect(references.length).toBeGreaterThan(30);
    for (const reference of references) expect(resolve(document, reference), String(reference)).toBeDefined();
  });

  test('tells every field in words', () => {
    const named = collectFields(document.components.schemas);
    expect(named.length).toBeGreaterThan(50);
    const silent = named.filter(([, schema]) => fields.parse(schema).description === undefined);
    expect([...new Set(silent.map(([name]) => name))]).toEqual([]);
  });

  describe.each(Object.entries(calls))('has an example of %s that', (_name, { path, request, reply }) => {
    const { requestBody, responses } = document.paths[path]?.post ?? {};

    test('passes the contract', () => {
      expect(request.safeParse(exampleIn(requestBody?.content))).toMatchObject({ success: true });
      expect(reply.safeParse(exampleIn(responses?.[200]?.content))).toMatchObject({ success: true });
    });

    test('passes the schemas of the document, as those of its errors do', () => {
      expect(Object.keys(responses ?? {}).map(Number)).toEqual([200, ...statuses]);
      const replies = Object.values(responses ?? {}).map((each) =>
        '$ref' in each ? resolve(document, each.$ref) : each,
      );
      for (const content of [requestBody, ...replies].map((part) => fields.parse(part).content)) {
        const { schema, example } = contentSchema.parse(content)['application/json'];
        const validate = compileJsonSchema2020(fields.parse(resolve(document, schema.$ref)));
        expect(validate(example), describeFaults(validate)).toBe(true);
      }
    });
  });
});

test('a call without replies of the right form is refused by the official schema', async () => {
  const broken = { ...crontab, paths: { '/x': { post: { responses: 7 } } } };
  expect(await new Validator().validate(broken)).toMatchObject({ valid: false });
});

test('headers of a call stand in its document', () => {
  const { parameters } = dispatch.paths['/api/run']?.post ?? {};
  expect(parameters).toMatchObject([
    { name: 'X-CORRELATION-ID', in: 'header', required: true },
    { name: 'X-RESOURCE', in: 'header', required: false },
    { name: 'X-SOURCE', in: 'header', required: false },
  ]);
  expect(crontab.paths['/crontab/add_task']?.post).not.toHaveProperty('parameters');
});

test.each<[string, OpenApiDocument, string, unknown]>([
  ['a list of nothing', crontab, 'AddTaskRequest', { task_list: [] }],
  ['a task without a name', crontab, 'AddTaskRequest', { task_list: [{ enable: 1 }] }],
  ['a limit of a million', crontab, 'ListTaskRequest', { limit: 1_000_000 }],
  ['a reply without a state', crontab, 'AddTaskReply', { msg: '', data: { task_result: [] } }],
  ['a run without nodes', dispatch, 'RunRequest', { user: 'root', name: 'a', params: null, fork_num: 1 }],
  ['a run without a login', dispatch, 'RunRequest', { nodes: ['::1'], name: 'a', params: null, fork_num: 1 }],
  ['a reply of another code', dispatch, 'StopReply', { code: -1, content: {} }],
  ['an error without a message', dispatch, 'Error', { code: -1 }],
])('%s is refused', (_, document, component, message) => {
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

function resolve(document: OpenApiDocument, reference: unknown): unknown {
  let found: unknown = document;
  for (const key of String(reference).split('/').slice(1)) found = fields.parse(found)[key];
  return found;
}
