// The JSON Schemas against an independent validator: valid draft-07, and never stricter than the code.
import { describe, expect, test } from 'vitest';
import { heartbeatSchema, orderReplySchema, orderSchema } from '../../contracts/agent.ts';
import {
  errorExample,
  heartbeatExample,
  orderExample,
  orderReplyExample,
  rpcExamples,
} from '../../contracts/asyncapi-examples.ts';
import { errorReplySchema } from '../../contracts/errors.ts';
import { collectJsonSchemas } from '../../contracts/json-schemas.ts';
import type { Rpc } from '../../contracts/rpc.ts';
import { rpcs } from '../../contracts/rpc.ts';
import { compileJsonSchema, describeFaults } from './json-schema-validator.ts';
import { readVectors } from './vector-file.ts';

const validators = new Map(
  [...collectJsonSchemas()].map(([name, schema]) => [name, compileJsonSchema(schema)]),
);
const exampleByName = new Map<string, { request: unknown; reply: unknown }>(Object.entries(rpcExamples));

test('there is a request and a reply schema for every call, and one for each other message', () => {
  const expected = Object.values(rpcs).flatMap(({ subject }) => [`${subject}.request`, `${subject}.reply`]);
  expect([...validators.keys()].sort()).toEqual(
    [
      ...expected,
      'error.reply',
      'probe.agent.heartbeat',
      'probe.agent.order.request',
      'probe.agent.order.reply',
    ].sort(),
  );
});

// No bytes and a bare dash are "no arguments" too, but no JSON that a schema could describe.
const accepted = readVectors().filter(
  ({ expect, octets }) => expect.verdict === 'ok' && !['', '-'].includes(new TextDecoder().decode(octets)),
);

describe.each(accepted)('$name', (vector) => {
  test('passes the JSON Schema too', () => {
    const validate = findValidator(`${vector.subject}.${vector.direction}`);
    const json: unknown = JSON.parse(new TextDecoder().decode(vector.octets));
    expect(validate(json), describeFaults(validate)).toBe(true);
  });
});

test.each([
  ['a target missing', 'probe.task.dns_result.one_shoot.request', {}],
  [
    'a timeout of an hour',
    'probe.task.dns_result.one_shoot.request',
    { target: { type: 'domain', data: 'a' }, resp_timeout: 3600 },
  ],
  ['results missing', 'probe.task.dns_result.one_shoot.reply', {}],
  ['an error beside results', 'probe.task.dns_result.one_shoot.reply', { ...errorExample, results: [] }],
  ['text as arguments', 'probe.task.get.request', 'all'],
  ['a cycle missing', 'probe.task.create.request', { target: [{ type: 'domain', data: 'a' }] }],
  ['an agent that says nothing of its load', 'probe.agent.heartbeat', { agent_id: 'a' }],
])('%s is refused', (_, name, message) => {
  expect(findValidator(name)(message)).toBe(false);
});

test.each<[string, Rpc]>(Object.entries(rpcs))('the example of %s fits its schemas', (name, rpc) => {
  const example = exampleByName.get(name);
  expect(rpc.request.safeParse(example?.request)).toMatchObject({ success: true });
  expect(rpc.reply.safeParse(example?.reply)).toMatchObject({ success: true });
});

test.each([
  ['error.reply', errorReplySchema, errorExample],
  ['probe.agent.heartbeat', heartbeatSchema, heartbeatExample],
  ['probe.agent.order.request', orderSchema, orderExample],
  ['probe.agent.order.reply', orderReplySchema, orderReplyExample],
])('the example of %s fits its schemas', (name, schema, example) => {
  expect(schema.safeParse(example)).toMatchObject({ success: true });
  expect(findValidator(name)(example)).toBe(true);
});

function findValidator(name: string) {
  const validate = validators.get(name);
  if (validate === undefined) throw new Error(`no schema ${name}`);
  return validate;
}
