// The bus as an AsyncAPI 3.0 document, its operations written from the gateway's point of view.
import type { AsyncApiMessage, Reference } from './asyncapi-messages.ts';
import { createMessages, createPayloadSchemas } from './asyncapi-messages.ts';
import { errorCatalog } from './errors.ts';
import type { JsonSchema } from './json-schemas.ts';
import { rpcs } from './rpc.ts';
import { gatewayQueue, internalSubjects, orderSubject, wakeSubject } from './subjects.ts';

type Channel = {
  /** Null: known only when the message is sent, because the caller chooses its reply subject. */
  address: string | null;
  messages: Record<string, Reference>;
  [field: string]: unknown;
};

type Operation = {
  action: 'send' | 'receive';
  channel: Reference;
  messages: Reference[];
  reply?: { channel: Reference; messages: Reference[] };
  [field: string]: unknown;
};

export type AsyncApiDocument = {
  asyncapi: '3.0.0';
  channels: Record<string, Channel>;
  operations: Record<string, Operation>;
  components: { messages: Record<string, AsyncApiMessage>; schemas: Record<string, JsonSchema> };
  [section: string]: unknown;
};

/** Every call with its request, its reply and the error reply, and what gateway and agents tell each other. */
export function createAsyncApiDocument(): AsyncApiDocument {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'probe.task',
      version: '1.0.0',
      description: [
        'DNS probes from many regions, asked over NATS request-reply with JSON bodies (UTF-8).',
        'Every call gets exactly one message on its reply subject: its own reply, or the error reply.',
        'Calls that take no arguments accept no bytes, `-`, `null`, `"-"` and `{}` alike.',
        errorTable(),
      ].join('\n\n'),
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      nats: {
        host: '127.0.0.1:4222',
        protocol: 'nats',
        description:
          'The bus. Its operator decides whether it asks for a user, credentials or a certificate.',
      },
    },
    channels: { ...rpcChannels(), ...internalChannels() },
    operations: { ...rpcOperations(), ...internalOperations() },
    components: { messages: createMessages(), schemas: createPayloadSchemas() },
  };
}

function errorTable(): string {
  const rows = Object.entries(errorCatalog).map(
    ([code, { status, retryable, summary }]) =>
      `| \`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${summary} |`,
  );
  return ['| code | status | retry helps | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function rpcChannels(): Record<string, Channel> {
  const channels: Record<string, Channel> = {};
  for (const [name, rpc] of Object.entries(rpcs)) {
    channels[name] = { address: rpc.subject, messages: { request: message(`${name}Request`) } };
    channels[`${name}Reply`] = {
      address: null,
      messages: { reply: message(`${name}Reply`), error: message('errorReply') },
    };
  }
  return channels;
}

function rpcOperations(): Record<string, Operation> {
  const operations: Record<string, Operation> = {};
  for (const [name, rpc] of Object.entries(rpcs)) {
    operations[name] = {
      action: 'receive',
      summary: rpc.summary,
      channel: channel(name),
      messages: [channelMessage(name, 'request')],
      bindings: { nats: { queue: gatewayQueue } },
      reply: {
        channel: channel(`${name}Reply`),
        messages: [channelMessage(`${name}Reply`, 'reply'), channelMessage(`${name}Reply`, 'error')],
      },
    };
  }
  return operations;
}

function internalChannels(): Record<string, Channel> {
  return {
    heartbeat: { address: internalSubjects.heartbeat, messages: { heartbeat: message('heartbeat') } },
    discover: { address: internalSubjects.discover, messages: { signal: message('signal') } },
    definitionsChanged: {
      address: internalSubjects.definitionsChanged,
      messages: { signal: message('signal') },
    },
    order: {
      address: orderSubject('{agentId}'),
      parameters: { agentId: { description: 'The `agent_id` of the heartbeat.' } },
      messages: { order: message('order') },
    },
    wake: {
      address: wakeSubject('{agentId}'),
      description: 'The scheduler tells an agent here that it has runs to claim.',
      parameters: { agentId: { description: 'The `agent_id` of the heartbeat.' } },
      messages: { signal: message('signal') },
    },
    orderReply: { address: null, messages: { orderReply: message('orderReply') } },
  };
}

function internalOperations(): Record<string, Operation> {
  return {
    heartbeat: {
      action: 'receive',
      summary: 'Learns which agents live, where they stand and how loaded they are.',
      channel: channel('heartbeat'),
      messages: [channelMessage('heartbeat', 'heartbeat')],
    },
    discover: {
      action: 'send',
      summary: 'Asks every agent for a heartbeat at once.',
      channel: channel('discover'),
      messages: [channelMessage('discover', 'signal')],
    },
    tellDefinitionsChanged: {
      action: 'send',
      summary: 'Tells the other gateways to read groups and resolvers anew.',
      channel: channel('definitionsChanged'),
      messages: [channelMessage('definitionsChanged', 'signal')],
    },
    hearDefinitionsChanged: {
      action: 'receive',
      summary: 'Reads groups and resolvers anew.',
      channel: channel('definitionsChanged'),
      messages: [channelMessage('definitionsChanged', 'signal')],
    },
    order: {
      action: 'send',
      summary: 'Hands one agent all its cells of one request.',
      channel: channel('order'),
      messages: [channelMessage('order', 'order')],
      reply: { channel: channel('orderReply'), messages: [channelMessage('orderReply', 'orderReply')] },
    },
  };
}

function message(name: string): Reference {
  return { $ref: `#/components/messages/${name}` };
}

function channel(name: string): Reference {
  return { $ref: `#/channels/${name}` };
}

function channelMessage(channelName: string, messageName: string): Reference {
  return { $ref: `#/channels/${channelName}/messages/${messageName}` };
}
