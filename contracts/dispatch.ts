// Running Ansible content on nodes: what a request of the dispatch channel gives, and the codes of its document.
import { isIP, SocketAddress } from 'node:net';
import { z } from 'zod';
import { textSchema } from './text.ts';

/** `status` of a task. From `succeeded` on it never changes any more. */
export const dispatchStatuses = {
  waiting: 0,
  running: 1,
  succeeded: 2,
  failed: 3,
  stopped: 4,
  /** Some nodes succeeded, others did not. */
  partly: 5,
} as const;
export type DispatchStatus = (typeof dispatchStatuses)[keyof typeof dispatchStatuses];

/** What became of an Ansible task on a node, as a line of `getlog` says it. */
export const dispatchResults = ['ok', 'failed', 'unreachable', 'skipped'] as const;
export type DispatchResult = (typeof dispatchResults)[number];

/** Where a task is run: an IP address, and the port of its SSH server. */
export type DispatchNode = {
  address: string;
  port: number;
  /** As replies have it: without a port that is 22. */
  text: string;
};

export const maxDispatchNodes = 1000;
const sshPort = 22;
/** Of `[ffff:…:ffff:255.255.255.255]:65535` there are 53 characters. */
const maxNodeLength = 64;
const maxNameLength = 255;
const maxTimeoutS = 24 * 3600;

/**
 * `10.0.0.1`, `10.0.0.1:2222`, `2001:db8::1` or `[2001:db8::1]:2222`; undefined for anything else: no names, no ranges, no
 * patterns of an inventory. An IPv4-mapped address is the IPv4 address that it reaches.
 */
export function parseDispatchNode(text: string): DispatchNode | undefined {
  // The pattern below would look at a long text for minutes.
  if (text.length > maxNodeLength) return undefined;
  const [, bracketed, plain, portText] =
    /^(?:\[([^\]]+)\]|([^:]+|[^[\]]*:[^[\]]*:[^[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const given = bracketed ?? plain ?? '';
  const port = portText === undefined ? sshPort : Number(portText);
  const family = given.includes('%') ? 0 : isIP(given);
  if (family === 0 || (bracketed !== undefined && family === 4) || port < 1 || port > 65_535)
    return undefined;
  const canonical = family === 6 ? new SocketAddress({ address: given, family: 'ipv6' }).address : given;
  const address = canonical.replace(/^::ffff:(?=\d+\.)/, '');
  const withPort = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  return { address, port, text: port === sshPort ? address : withPort };
}

const notAnAddress = 'expected an IP address, with or without a port';

/** What is too long is cut before its items are looked at. */
const nodesSchema = z.preprocess(
  (given) => (Array.isArray(given) ? given.slice(0, maxDispatchNodes + 1) : given),
  z
    .array(
      z.string(notAnAddress).transform((text, context): DispatchNode => {
        const node = parseDispatchNode(text);
        if (node !== undefined) return node;
        context.addIssue({ code: 'custom', message: notAnAddress });
        return z.NEVER;
      }),
      'expected a list of IP addresses',
    )
    .min(1, 'expected at least one node')
    .max(maxDispatchNodes, `expected at most ${maxDispatchNodes} nodes`)
    .transform((nodes) => [...new Map(nodes.map((node) => [node.text, node])).values()]),
);

/** A name that a login may have on a node. */
export const dispatchUserSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/, 'expected the name of a login');

const notAnId = 'expected the id of a task';

/** An id as the document has it, an integer; as decimal text, too. */
export const dispatchIdSchema = z
  .union([z.int(notAnId).min(0, notAnId), z.string().regex(/^\d{1,18}$/, notAnId)], { error: notAnId })
  .transform(String);

const notWhole = 'expected a whole number';
const wholeNumber = z.union(
  [
    z.int(notWhole),
    z
      .string()
      .regex(/^[+-]?\d{1,9}$/, notWhole)
      .transform(Number),
  ],
  { error: notWhole },
);

/**
 * A run as the document asks for it. `tasks` (its table) and `content` (its example) are the same; their form, and that of
 * `params`, is for the service to read. `user` may be null, for the login that is configured.
 */
export const dispatchRunRequestSchema = z.object({
  nodes: nodesSchema,
  user: z.union([z.literal('').transform(() => null), dispatchUserSchema, z.null()], {
    error: 'expected the name of a login, or null',
  }),
  name: textSchema(maxNameLength).min(1, 'is empty'),
  tasks: z.unknown().optional(),
  content: z.unknown().optional(),
  /** Sent by clients of the first service; the content says the same. */
  tasktype: z.enum(['ansible_task', 'ansible_role']).nullish(),
  params: z.union([z.record(z.string(), z.unknown()), z.string(), z.null()], {
    error: 'expected an object, or a JSON object in a string',
  }),
  fork_num: wholeNumber,
  /** Seconds for the whole run. */
  timeout: z.int().min(1).max(maxTimeoutS).nullish(),
  /** Further `params` whose values are blotted out wherever they appear in what comes back. */
  secrets: z.record(z.string(), z.unknown()).nullish(),
});
export type DispatchRunRequest = z.infer<typeof dispatchRunRequestSchema>;

/** A task by its id or its name; where both are given they must be of the same task. An id of 0 is none. */
export const dispatchTaskKeySchema = z
  .object({ id: dispatchIdSchema.nullish(), name: z.string().nullish() })
  .transform(({ id, name }) => ({
    id: id === undefined || id === null || /^0+$/.test(id) ? undefined : id,
    name: name === undefined || name === null || name === '' ? undefined : name,
  }))
  .refine(({ id, name }) => id !== undefined || name !== undefined, { error: 'id and name are missing' });
export type DispatchTaskKey = z.infer<typeof dispatchTaskKeySchema>;

export const dispatchLogRequestSchema = z.object({
  host: z.string().min(1, 'is empty'),
  source: z.string().min(1, 'is empty'),
});

/** What became of a node of a task. `status` as that of the task, without `partly`. */
export const dispatchNodeResultSchema = z.object({
  node: z.string(),
  status: z.int().min(0).max(4),
  ok: z.int(),
  changed: z.int(),
  failed: z.int(),
  skipped: z.int(),
  err: z.string().nullable(),
  start_time: z.string().nullable(),
  end_time: z.string().nullable(),
});
export type DispatchNodeResult = z.infer<typeof dispatchNodeResultSchema>;

/** `check`: times as in HTTP (RFC 9110 section 5.6.7); `log` and `nodes` are JSON in a string. */
export const dispatchTaskStateSchema = z.object({
  create_time: z.string(),
  err: z.string().nullable(),
  id: z.int(),
  /** A list of `{host, task, result, changed, start, end, …}`, one for each Ansible task on each node. */
  log: z.string(),
  nodes: z.string(),
  status: z.int().min(0).max(5),
  update_time: z.string(),
  node_results: z.array(dispatchNodeResultSchema),
  /** Of a task of `parallel_run`: one for each node. */
  children: z.array(z.object({ id: z.int(), name: z.string(), status: z.int() })).optional(),
});
export type DispatchTaskState = z.infer<typeof dispatchTaskStateSchema>;
