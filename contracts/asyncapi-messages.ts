// The messages of the AsyncAPI document: payload, headers and an example of each.
import {
  errorExample,
  heartbeatExample,
  orderExample,
  orderReplyExample,
  rpcExamples,
} from './asyncapi-examples.ts';
import { errorCatalog } from './errors.ts';
import type { JsonSchema } from './json-schemas.ts';
import { collectJsonSchemas } from './json-schemas.ts';
import { rpcs } from './rpc.ts';
import { headers, subjects } from './subjects.ts';

export type Reference = { $ref: string };

export type AsyncApiMessage = {
  name: string;
  payload?: Reference;
  headers?: JsonSchema;
  examples?: { payload: unknown; headers?: Record<string, string> }[];
  [field: string]: unknown;
};

/** Header values are strings on the bus; this one holds a count. */
const count: JsonSchema = { type: 'string', pattern: '^\\d+$' };

const requestHeaders: JsonSchema = {
  type: 'object',
  properties: {
    [headers.messageId]: { type: 'string', description: 'Becomes the request id in the logs.' },
    [headers.traceParent]: { type: 'string', description: 'W3C trace context.' },
  },
};

const probeReplyHeaders: JsonSchema = {
  type: 'object',
  properties: {
    [headers.expected]: { ...count, description: 'Cells planned.' },
    [headers.answered]: { ...count, description: 'Cells that an agent reported on.' },
  },
};

const pageHeaders: JsonSchema = {
  type: 'object',
  properties: {
    [headers.nextCursor]: {
      type: 'string',
      description: 'The cursor of the next page; missing on the last.',
    },
  },
};

const errorHeaders: JsonSchema = {
  type: 'object',
  required: [headers.errorText, headers.errorCode],
  properties: {
    [headers.errorText]: { type: 'string', description: 'What the body says, in one line.' },
    [headers.errorCode]: {
      type: 'string',
      enum: [...new Set(Object.values(errorCatalog).map(({ status }) => String(status)))],
      description: 'The status of the error code.',
    },
  },
};

const replyHeaders = new Map<string, JsonSchema>([
  [subjects.oneShoot, probeReplyHeaders],
  [subjects.oneShootVerbose, probeReplyHeaders],
  [subjects.taskGet, pageHeaders],
]);

/** Every message by its name in `components.messages`. */
export function createMessages(): Record<string, AsyncApiMessage> {
  return { ...rpcMessages(), ...sharedMessages() };
}

function rpcMessages(): Record<string, AsyncApiMessage> {
  const examples = new Map<string, { request: unknown; reply: unknown }>(Object.entries(rpcExamples));
  const messages: Record<string, AsyncApiMessage> = {};
  for (const [name, { subject }] of Object.entries(rpcs)) {
    const example = examples.get(name);
    const ofReply = replyHeaders.get(subject);
    messages[`${name}Request`] = {
      name: `${subject} request`,
      payload: payload(`${subject}.request`),
      headers: requestHeaders,
      examples: [{ payload: example?.request }],
    };
    messages[`${name}Reply`] = {
      name: `${subject} reply`,
      payload: payload(`${subject}.reply`),
      ...(ofReply === undefined ? {} : { headers: ofReply }),
      examples: [{ payload: example?.reply }],
    };
  }
  return messages;
}

function sharedMessages(): Record<string, AsyncApiMessage> {
  return {
    errorReply: {
      name: 'error reply',
      payload: payload('error.reply'),
      headers: errorHeaders,
      examples: [
        {
          headers: { [headers.errorText]: errorExample.error.message, [headers.errorCode]: '400' },
          payload: errorExample,
        },
      ],
    },
    heartbeat: {
      name: 'heartbeat',
      payload: payload('probe.agent.heartbeat'),
      examples: [{ payload: heartbeatExample }],
    },
    order: {
      name: 'order',
      payload: payload('probe.agent.order.request'),
      examples: [{ payload: orderExample }],
    },
    orderReply: {
      name: 'order reply',
      summary: 'As many of these as the outcomes take.',
      payload: payload('probe.agent.order.reply'),
      examples: [{ payload: orderReplyExample }],
    },
    signal: { name: 'signal', summary: 'The body is not read.' },
  };
}

/** Every payload schema by its name in `components.schemas`. */
export function createPayloadSchemas(): Record<string, JsonSchema> {
  const schemas: Record<string, JsonSchema> = {};
  for (const [name, { $schema, ...schema }] of collectJsonSchemas()) schemas[name] = schema;
  return schemas;
}

function payload(schemaName: string): Reference {
  return { $ref: `#/components/schemas/${schemaName}` };
}
