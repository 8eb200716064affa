// The table of all calls that cross the bus: subject, request and reply of each.
import type { z } from 'zod';
import { agentListReplySchema } from './agent.ts';
import {
  domainGroupCreateRequestSchema,
  domainGroupGetRequestSchema,
  domainGroupKeySchema,
  domainGroupListReplySchema,
  domainGroupSchema,
  domainGroupUpdateRequestSchema,
  groupDetailKeySchema,
  groupDetailListReplySchema,
  groupDetailSetRequestSchema,
  localDnsKeyReplySchema,
  localDnsKeySchema,
  localDnsListReplySchema,
  localDnsSchema,
  localDnsSetRequestSchema,
  noArgumentsSchema,
} from './definitions.ts';
import {
  oneShootReplySchema,
  oneShootRequestSchema,
  oneShootVerboseReplySchema,
  oneShootVerboseRequestSchema,
} from './probe.ts';
import { subjects } from './subjects.ts';
import {
  taskCreateRequestSchema,
  taskGetRequestSchema,
  taskKeySchema,
  taskListReplySchema,
  taskSchema,
  taskUpdateRequestSchema,
} from './task.ts';
import { taskResultGetReplySchema, taskResultGetRequestSchema } from './task-result.ts';
import { taskSlotGetReplySchema, taskSlotGetRequestSchema } from './task-slot.ts';

/** One call: what it takes and what it gives. `takesNothing`: no bytes, `null`, `{}` and `"-"` all mean "no arguments". */
export type Rpc = {
  subject: string;
  summary: string;
  takesNothing: boolean;
  request: z.ZodType;
  reply: z.ZodType;
};

const definitions = {
  oneShoot: {
    subject: subjects.oneShoot,
    summary: 'Probes one domain from every matching agent and replies with the answers.',
    takesNothing: false,
    request: oneShootRequestSchema,
    reply: oneShootReplySchema,
  },
  oneShootVerbose: {
    subject: subjects.oneShootVerbose,
    summary:
      'Probes domains from every matching agent and replies with one row for every agent × server × domain.',
    takesNothing: false,
    request: oneShootVerboseRequestSchema,
    reply: oneShootVerboseReplySchema,
  },
  taskGet: {
    subject: subjects.taskGet,
    summary: 'Lists all tasks.',
    takesNothing: true,
    request: taskGetRequestSchema,
    reply: taskListReplySchema,
  },
  taskCreate: {
    subject: subjects.taskCreate,
    summary:
      'Stores a new task and replies with it; with an idempotency_key, once however often it is asked.',
    takesNothing: false,
    request: taskCreateRequestSchema,
    reply: taskSchema,
  },
  taskUpdate: {
    subject: subjects.taskUpdate,
    summary: 'Changes the given fields of a task and replies with the whole of it.',
    takesNothing: false,
    request: taskUpdateRequestSchema,
    reply: taskSchema,
  },
  taskDelete: {
    subject: subjects.taskDelete,
    summary: 'Deletes a task.',
    takesNothing: false,
    request: taskKeySchema,
    reply: taskKeySchema,
  },
  taskResultGet: {
    subject: subjects.taskResultGet,
    summary: 'Lists the results of recurring tasks, newest first, page by page.',
    takesNothing: true,
    request: taskResultGetRequestSchema,
    reply: taskResultGetReplySchema,
  },
  taskSlotGet: {
    subject: subjects.taskSlotGet,
    summary: 'Lists what was planned for each nominal time of recurring tasks, and what came of it.',
    takesNothing: true,
    request: taskSlotGetRequestSchema,
    reply: taskSlotGetReplySchema,
  },
  groupDetailGet: {
    subject: subjects.groupDetailGet,
    summary: 'Lists the places of all probe groups.',
    takesNothing: true,
    request: noArgumentsSchema,
    reply: groupDetailListReplySchema,
  },
  groupDetailSet: {
    subject: subjects.groupDetailSet,
    summary: 'Replaces the places of one probe group and replies with them.',
    takesNothing: false,
    request: groupDetailSetRequestSchema,
    reply: groupDetailListReplySchema,
  },
  groupDetailDelete: {
    subject: subjects.groupDetailDelete,
    summary: 'Deletes a probe group.',
    takesNothing: false,
    request: groupDetailKeySchema,
    reply: groupDetailKeySchema,
  },
  domainGroupGet: {
    subject: subjects.domainGroupGet,
    summary: 'Lists all domain groups.',
    takesNothing: true,
    request: domainGroupGetRequestSchema,
    reply: domainGroupListReplySchema,
  },
  domainGroupCreate: {
    subject: subjects.domainGroupCreate,
    summary: 'Stores a new domain group and replies with it, also when it is there with just these domains.',
    takesNothing: false,
    request: domainGroupCreateRequestSchema,
    reply: domainGroupSchema,
  },
  domainGroupUpdate: {
    subject: subjects.domainGroupUpdate,
    summary: 'Changes the given fields of a domain group and replies with the whole of it.',
    takesNothing: false,
    request: domainGroupUpdateRequestSchema,
    reply: domainGroupSchema,
  },
  domainGroupDelete: {
    subject: subjects.domainGroupDelete,
    summary: 'Deletes a domain group that no task uses.',
    takesNothing: false,
    request: domainGroupKeySchema,
    reply: domainGroupKeySchema,
  },
  localDnsGet: {
    subject: subjects.localDnsGet,
    summary: 'Lists the resolvers of all places.',
    takesNothing: true,
    request: noArgumentsSchema,
    reply: localDnsListReplySchema,
  },
  localDnsSet: {
    subject: subjects.localDnsSet,
    summary: 'Replaces the resolvers of one place and replies with them.',
    takesNothing: false,
    request: localDnsSetRequestSchema,
    reply: localDnsSchema,
  },
  localDnsDelete: {
    subject: subjects.localDnsDelete,
    summary: 'Deletes the resolvers of one place.',
    takesNothing: false,
    request: localDnsKeySchema,
    reply: localDnsKeyReplySchema,
  },
  agentGet: {
    subject: subjects.agentGet,
    summary: 'Lists the live agents: where they stand and how loaded they are.',
    takesNothing: true,
    request: noArgumentsSchema,
    reply: agentListReplySchema,
  },
} as const satisfies Record<string, Rpc>;

export type RpcName = keyof typeof definitions;
/** What a caller passes: before defaults and normalisation. */
export type RpcInput<Name extends RpcName> = z.input<(typeof definitions)[Name]['request']>;
/** What a handler gets: parsed and normalised. */
export type RpcRequest<Name extends RpcName> = z.output<(typeof definitions)[Name]['request']>;
export type RpcReply<Name extends RpcName> = z.output<(typeof definitions)[Name]['reply']>;

/** The table, typed so that a name that is not known until run time still ties request to reply. */
export const rpcs: {
  readonly [Name in RpcName]: {
    subject: string;
    summary: string;
    takesNothing: boolean;
    request: z.ZodType<RpcRequest<Name>>;
    reply: z.ZodType<RpcReply<Name>>;
  };
} = definitions;
