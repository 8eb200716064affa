// The OpenAPI documents of the HTTP services against the official schema, and against the contracts they describe.
import { Validator } from '@seriousme/openapi-schema-validator';
import type { ValidateFunction } from 'ajv';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { crontabCalls } from '../../contracts/crontab-api.ts';
import { createCrontabDocument } from '../../contracts/crontab-openapi.ts';
import { dispatchCalls } from '../../contracts/dispatch-api.ts';
import { createDispatchDocument } from '../../contracts/dispatch-openapi.ts';
import type { HttpCall } from '../../contracts/http-call.ts';
import { jobCalls } from '../../contracts/job-api.ts';
import { createJobDocument } from '../../contracts/job-openapi.ts';
import type { OpenApiDocument } from '../../contracts/openapi.ts';
import type { Operation } from '../../contracts/openapi-operation.ts';
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
const job = createJobDocument();
const services: Service[] = [
  { name: 'crontab', document: crontab, calls: crontabCalls, statuses: [400, 401, 413, 429, 500, 503] },
  { name: 'dispatch', document: dispatch, calls: dispatchCalls, statuses: [400, 401, 404, 413, 429, 500] },
  { name: 'job', document: job, calls: jobCalls, statuses: [400, 401, 404, 409, 413, 429, 500, 503] },
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

  test('has an operation for every call, and a call for every operation', () => {
    const expected = Object.entries(calls).map(([name, { method = 'POST', path }]) => [path, method, name]);
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { operationId }]) => [path, method.toUpperCase(), operationId]),
    );
    expect(operations.toSorted()).toEqual(expected.toSorted());
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

  describe.each(Object.entries(calls))('has an example of %s that', (_name, call) => {
    const { parameters = [], requestBody, responses } = operationOf(document, call) ?? {};
    const inQuery = parameters.filter((parameter) => parameter.in === 'query');

    test('passes the contract', () => {
      const query = Object.fromEntries(
        inQuery.flatMap(({ name, example }) => (example === undefined ? [] : [[name, example]])),
      );
      const request = requestBody === undefined ? query : exampleIn(requestBody.content);
      expect(call.request.safeParse(request)).toMatchObject({ success: true });
      expect(call.reply.safeParse(exampleIn(responses?.[200]?.content))).toMatchObject({ success: true });
    });

    test('passes the schemas of the document, as those of its errors do', () => {
      expect(Object.keys(responses ?? {}).map(Number)).toEqual([200, ...statuses]);
      const replies = Object.values(responses ?? {}).map((each) =>
        '$ref' in each ? resolve(document, each.$ref) : each,
      );
      const bodies = requestBody === undefined ? replies : [requestBody, ...replies];
      for (const content of bodies.map((part) => fields.parse(part).content)) {
        const { schema, example } = contentSchema.parse(content)['application/json'];
        const validate = compileIn(document, schema.$ref);
        expect(validate(example), describeFaults(validate)).toBe(true);
      }
      for (const { schema, example } of inQuery.filter((parameter) => 'example' in parameter)) {
        expect(compileJsonSchema2020(schema)(example)).toBe(true);
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

test('a GET has its request in the query, a PUT in its body', () => {
  const { get } = job.paths['/api/job/check_status'] ?? {};
  expect(get).not.toHaveProperty('requestBody');
  expect(get?.parameters).toMatchObject([
    { name: 'task_id', in: 'query', required: true, description: expect.stringContaining('UUID') },
    { name: 'type', in: 'query', required: true, schema: { enum: expect.arrayContaining(['bod_pasta']) } },
  ]);
  const { parameters = [] } = job.paths['/api/job/list']?.get ?? {};
  expect(parameters.map(({ name, required }) => [name, required])).toEqual([
    ['type', false],
    ['state', false],
    ['limit', false],
    ['cursor', false],
  ]);
  expect(job.paths['/pasta/async_bod_pasta']).toMatchObject({
    post: { operationId: 'asyncBodPasta', description: 'Also under /api/pasta/async_bod_pasta.' },
    put: { operationId: 'asyncBodModified', requestBody: { required: true } },
  });
});

test('a schema that many calls share stands in the document once, and each field has its own words', () => {
  const { AsyncBodPastaRequest: request = {}, SrPolicy: policy } = job.components.schemas;
  expect(request.properties).toMatchObject({
    nodes: { items: { $ref: '#/components/schemas/PathNode' } },
    sr_policy: { $ref: '#/components/schemas/SrPolicy' },
  });
  expect(policy?.properties).toMatchObject({
    headend: { description: 'Id of the node where it begins.' },
    tailend: { description: 'Id of the node where it ends.' },
  });
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
  ['a task without a type', job, 'SubmitRequest', { nodes: [{ id: 'a' }], links: [] }],
  ['a policy without an end', job, 'SrPolicy', { id: 'a', headend: 'a' }],
  ['a success with a reason', job, 'SubmitReply', { status: true, info: ['x'], data: { task_id: 'x' } }],
])('%s is refused', (_, document, component, message) => {
  expect(compileIn(document, `#/components/schemas/${component}`)(message)).toBe(false);
});

function operationOf(document: OpenApiDocument, { method = 'POST', path }: HttpCall): Operation | undefined {
  const { get, post, put } = document.paths[path] ?? {};
  return { GET: get, POST: post, PUT: put }[method];
}

const compiled = new Map<string, ValidateFunction>();

/** The schema with all that it refers to. */
function compileIn({ info, components }: OpenApiDocument, reference: string): ValidateFunction {
  const key = `${info.title}${reference}`;
  const validate = compiled.get(key) ?? compileJsonSchema2020({ $ref: reference, components });
  compiled.set(key, validate);
  return validate;
}

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
