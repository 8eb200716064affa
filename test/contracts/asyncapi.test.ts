// The AsyncAPI document against the official schema of AsyncAPI 3.0, and against the contract it describes.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createAsyncApiDocument } from '../../contracts/asyncapi.ts';
import type { AsyncApiMessage, Reference } from '../../contracts/asyncapi-messages.ts';
import { errorCatalog } from '../../contracts/errors.ts';
import { rpcs } from '../../contracts/rpc.ts';
import { internalSubjects, orderSubject, subjects, wakeSubject } from '../../contracts/subjects.ts';
import { compileJsonSchema, describeFaults } from './json-schema-validator.ts';
import { readVectors } from './vector-file.ts';

const document = createAsyncApiDocument();

test('the document fits the official schema of AsyncAPI 3.0', () => {
  const validate = compileOfficialSchema();
  expect(validate(document), describeFaults(validate)).toBe(true);
});

test('the official schema refuses a channel without messages of the right form', () => {
  const broken = { ...document, channels: { oneShoot: { address: 7 } } };
  expect(compileOfficialSchema()(broken)).toBe(false);
});

test('every reference leads somewhere', () => {
  const references = collectReferences(document);
  expect(references.length).toBeGreaterThan(100);
  for (const reference of references) expect(resolve(reference), reference.$ref).toBeDefined();
});

test('every subject is the address of a channel and every operation uses only messages of its channels', () => {
  const addresses = Object.values(document.channels).map(({ address }) => address);
  const ofOneAgent = [orderSubject('{agentId}'), wakeSubject('{agentId}')];
  for (const subject of [...Object.values(subjects), ...Object.values(internalSubjects), ...ofOneAgent]) {
    expect(addresses).toContain(subject);
  }
  for (const { channel, messages, reply } of Object.values(document.operations)) {
    for (const message of messages) expect(message.$ref.startsWith(`${channel.$ref}/messages/`)).toBe(true);
    for (const message of reply?.messages ?? []) {
      expect(message.$ref.startsWith(`${reply?.channel.$ref}/messages/`)).toBe(true);
    }
  }
});

test('every call replies on a subject of the caller, with its reply or the error reply', () => {
  for (const name of Object.keys(rpcs)) {
    expect(document.operations[name]?.reply?.messages).toHaveLength(2);
    expect(document.channels[`${name}Reply`]?.address).toBeNull();
  }
});

test('every reply fits exactly one of the messages listed for its call', () => {
  const replies = readVectors().filter(({ direction, octets }) => direction === 'reply' && octets.length > 0);
  const errorReply = compilePayload('errorReply');
  const validators = new Map(
    Object.entries(rpcs).map(([name, { subject }]) => [subject, compilePayload(`${name}Reply`)]),
  );
  let fitting = 0;
  for (const vector of replies) {
    const json = parseJson(vector.octets);
    const ownReply = z.enum(Object.values(subjects)).parse(vector.subject);
    const fits = [errorReply(json), validators.get(ownReply)?.(json) ?? false].filter(Boolean).length;
    expect(fits, vector.name).toBeLessThanOrEqual(1);
    if (vector.expect.verdict === 'ok') expect(fits, vector.name).toBe(1);
    fitting += fits;
  }
  expect(fitting).toBeGreaterThan(30);
});

test('examples of every message fit its payload schema', () => {
  for (const [name, { examples = [], payload }] of Object.entries(document.components.messages)) {
    if (payload === undefined) continue;
    expect(examples.length, name).toBeGreaterThan(0);
    const validate = compilePayload(name);
    for (const example of examples) expect(validate(example.payload), name).toBe(true);
  }
});

test('the description lists every error code', () => {
  const { description } = z.object({ description: z.string() }).parse(document.info);
  for (const code of Object.keys(errorCatalog)) expect(description).toContain(`\`${code}\``);
});

function compileOfficialSchema() {
  const path = createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json');
  return compileJsonSchema(z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(path, 'utf8'))));
}

function compilePayload(messageName: string) {
  const message: AsyncApiMessage | undefined = document.components.messages[messageName];
  return compileJsonSchema(
    z.record(z.string(), z.unknown()).parse(resolve(message?.payload ?? { $ref: '#' })),
  );
}

function collectReferences(value: unknown): Reference[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = '$ref' in value && typeof value.$ref === 'string' ? [{ $ref: value.$ref }] : [];
  return [...own, ...Object.values(value).flatMap(collectReferences)];
}

function resolve({ $ref }: Reference): unknown {
  const fields = z.record(z.string(), z.unknown());
  let found: unknown = document;
  for (const key of $ref.split('/').slice(1)) found = fields.parse(found)[key];
  return found;
}

function parseJson(octets: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octets));
  } catch (error) {
    return error instanceof Error ? error.name : error;
  }
}
