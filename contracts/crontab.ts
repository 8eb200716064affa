// Timed callbacks: a task of the crontab service, and the codes of its document.
import { z } from 'zod';
import { textSchema } from './text.ts';

/** `state` of a reply, and of each item in it. */
export const crontabStates = {
  system: -1,
  ok: 0,
  parameter: 1,
  type: 2,
  startTime: 3,
  callback: 4,
  /** Nothing has this id or name, or another task has this name. */
  key: 5,
} as const;
export type CrontabState = (typeof crontabStates)[keyof typeof crontabStates];

/** `type`: what kind of times a task has. */
export const crontabTypes = {
  single: 1,
  interval: 2,
  hourly: 3,
  daily: 4,
  monthly: 5,
  yearly: 6,
  weekly: 7,
} as const;

/** `run_type` of a log entry: why the callback was called. */
export const crontabRunTypes = { normal: 1, retry: 2, rerun: 3 } as const;

/** `status` of a log entry; the last two are not of the document: nothing was called, and the entry says why. */
export const crontabStatuses = { running: 1, succeeded: 2, failed: 3, skipped: 4, missed: 5 } as const;

const maxInteger = 2_147_483_647;
const maxBodyLength = 65_536;
const maxRetries = 20;
const maxRetryDelayS = 86_400;
const maxTimeoutS = 3600;
const maxMisfireWindowS = 7 * 86_400;
const maxTags = 20;

/** 1 enabled, 2 disabled. */
const enable = z.union([z.literal(1), z.literal(2)], { error: 'expected 1 (enabled) or 2 (disabled)' });

const type = z
  .int('expected a number from 1 to 7')
  .min(1, 'expected a number from 1 to 7')
  .max(7, 'expected a number from 1 to 7');

const methods = ['post', 'get', 'rpc', 'nats'] as const;

/** Text that is passed through as it is. */
const body = z
  .string()
  .max(maxBodyLength)
  .refine((text) => !text.includes('\0') && text.isWellFormed(), {
    error: 'has a NUL character or half a surrogate pair',
  });

/** Seconds between a failure and the next try, parted by blanks. */
const redoParam = z
  .string()
  .max(200)
  .refine((text) => text.trim() === '' || text.trim().split(/\s+/).every(isRetryDelay), {
    error: `expected seconds from 0 to ${maxRetryDelayS}, parted by blanks`,
  })
  .refine((text) => text.trim().split(/\s+/).length <= maxRetries, {
    error: `expected at most ${maxRetries} retries`,
  });

function isRetryDelay(part: string): boolean {
  return /^\d{1,5}(\.\d{1,3})?$/.test(part) && Number(part) <= maxRetryDelayS;
}

/** The delays of a `redo_param`, in milliseconds. */
export function parseRedoParam(text: string): number[] {
  return text
    .split(/\s+/)
    .filter((part) => part !== '')
    .map((part) => Math.round(Number(part) * 1000));
}

const timeZone = textSchema(64).min(1);

/** Unix seconds or milliseconds, or cron fields from the second on. */
const startTime = z.union([z.number(), textSchema(200).min(1)], {
  error: 'expected a timestamp or cron fields',
});

/** Cut before its items are looked at: a fault for each of a million of them would hold up the process. */
const tags = z.preprocess(
  (given) => (Array.isArray(given) ? given.slice(0, maxTags + 1) : given),
  z.array(textSchema(64).min(1)).max(maxTags),
);

/** The fields that `add_task` requires. */
export const crontabRequiredShape = {
  name: textSchema(128).min(1, 'expected a name'),
  enable,
  /** The caller's own number for the part of its system that the task belongs to. */
  module: z.int().min(0).max(maxInteger),
  type,
  start_time: startTime,
  /** `http(s)://host/path`, for rpc `host:port/service.method`, for nats a subject. */
  url: textSchema(2048).min(1),
  method: z.preprocess(
    (given) => (typeof given === 'string' ? given.toLowerCase() : given),
    z.enum(methods, { error: 'expected post, get, rpc or nats' }),
  ),
};

const secretReason = 'expected whsec_ and 24 to 64 octets of base64';
/** Key of a signature (Standard Webhooks). */
export const crontabSecretSchema = z
  .string()
  .regex(/^whsec_(?=[A-Za-z0-9+/]{32,86}={0,2}$)(?:.{4})*$/, secretReason);

const optionalFields = {
  /** RE2; empty and `*` mean anything. */
  resp_regexp: textSchema(1000),
  body,
  /** 1 JSON, 2 form. */
  body_type: z.union([z.literal(1), z.literal(2)], { error: 'expected 1 (JSON) or 2 (form)' }),
  redo_param: redoParam,
  // Beyond the document:
  /** IANA name; where the cron fields are meant. */
  time_zone: timeZone,
  tags,
  /** Seconds for one call. */
  timeout: z.number().min(0.1).max(maxTimeoutS),
  /** What becomes of a time at which the run before it, with its retries, is still under way. */
  overlap: z.enum(['skip', 'allow']),
  /** What becomes of a time at which nobody was there: called late within the window, or not (more than 5 s late). */
  misfire: z.enum(['fire', 'skip']),
  /** Seconds. */
  misfire_window: z.int().min(1).max(maxMisfireWindowS),
  /** What happens when a replica dies during a call: it is made once more, with the same id, or never. */
  delivery: z.enum(['at_least_once', 'at_most_once']),
  /** Key of the signature (Standard Webhooks); never told again. Empty takes it away. */
  secret: z.union([z.literal(''), crontabSecretSchema], { error: secretReason }),
};

/** What a field that is left out means; `time_zone` is the service's own setting. */
export const crontabDefaults = {
  resp_regexp: '',
  body: '',
  body_type: 1,
  redo_param: '',
  tags: [],
  timeout: 10,
  overlap: 'skip',
  misfire: 'fire',
  misfire_window: 3600,
  delivery: 'at_least_once',
  secret: '',
} as const;

/** An item with these fields. Null means left out; what else it holds is not even looked through. */
function itemOf<Shape extends z.ZodRawShape>(shape: Shape) {
  const names = Object.keys(shape);
  return z.preprocess((given) => {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
    const item: Record<string, unknown> = {};
    for (const name of names) {
      const value: unknown = Object.hasOwn(given, name) ? Reflect.get(given, name) : null;
      if (value !== null) item[name] = value;
    }
    return item;
  }, z.object(shape));
}

/** A task's id: a number or a decimal string. */
const taskId = z
  .union([z.int().min(1), z.string().regex(/^[1-9]\d{0,17}$/)], {
    error: 'expected a task id as add_task gave it',
  })
  .transform(String);

/** What stands for no id is passed over, as the document says: then the name counts. */
const noTaskId = z.union([z.int().max(0), z.literal('0'), z.literal('')]).transform(() => undefined);

/** Which task is meant: the id goes before the name. */
const keyFields = {
  task_id: z.union([taskId, noTaskId], { error: 'expected a task id as add_task gave it' }).optional(),
  name: z.preprocess((name) => (name === '' ? undefined : name), crontabRequiredShape.name.optional()),
};

/** An item of `add_task`. */
export const crontabTaskAddSchema = itemOf({
  ...crontabRequiredShape,
  ...z.object(optionalFields).partial().shape,
});
export type CrontabTaskAdd = z.infer<typeof crontabTaskAddSchema>;

/** An item of `update_task`: the id, or else the name, and the fields that change. A task keeps its id. */
export const crontabTaskUpdateSchema = itemOf({
  ...z.object({ ...crontabRequiredShape, ...optionalFields }).partial().shape,
  ...keyFields,
  /** The name from now on. */
  new_name: crontabRequiredShape.name.optional(),
});
export type CrontabTaskUpdate = z.infer<typeof crontabTaskUpdateSchema>;

/** An item of the calls that only name tasks. */
export const crontabTaskKeySchema = itemOf(keyFields);
export type CrontabTaskKey = z.infer<typeof crontabTaskKeySchema>;

/** A moment as replies tell it: ISO 8601, UTC, milliseconds; empty where there is none. */
const moment = () => z.string();

/** A task as `list_task` tells it. */
export const crontabTaskSchema = z.object({
  task_id: z.string(),
  name: z.string(),
  enable: z.union([z.literal(1), z.literal(2)]),
  module: z.int(),
  type: z.int(),
  start_time: z.string(),
  time_zone: z.string(),
  url: z.string(),
  method: z.enum(methods),
  resp_regexp: z.string(),
  body: z.string(),
  body_type: z.union([z.literal(1), z.literal(2)]),
  redo_param: z.string(),
  tags: z.array(z.string()),
  timeout: z.number(),
  overlap: z.enum(['skip', 'allow']),
  misfire: z.enum(['fire', 'skip']),
  misfire_window: z.int(),
  delivery: z.enum(['at_least_once', 'at_most_once']),
  has_secret: z.boolean(),
  /** Empty when no time lies ahead, or the task is disabled. */
  next_time: moment(),
  /** The latest time that was planned. */
  last_time: moment(),
  created_time: moment(),
  updated_time: moment(),
});
export type CrontabTask = z.infer<typeof crontabTaskSchema>;

/** What became of one item. */
export const crontabItemResultSchema = z.object({
  task_id: z.string(),
  name: z.string(),
  /** Empty when all went well. */
  err: z.string(),
  /** The code that fits `err`. */
  state: z.int(),
});
export type CrontabItemResult = z.infer<typeof crontabItemResultSchema>;

/** One call, or a time at which none was made. */
export const crontabLogEntrySchema = z.object({
  task_id: z.string(),
  name: z.string(),
  run_type: z.int(),
  status: z.int(),
  begin_time: moment(),
  /** Empty while the call is under way. */
  end_time: moment(),
  url: z.string(),
  body: z.string(),
  /** The first 64 KiB. */
  resp: z.string(),
  // Beyond the document:
  /** The nominal time; a rerun's is when it was asked for. */
  scheduled_time: moment(),
  /** `webhook-id` of the call; the same for all tries of one time. */
  run_id: z.string(),
  /** 0 for the first call, one more for each retry. */
  try: z.int(),
  method: z.string(),
  /** HTTP status; null when none came. */
  resp_code: z.int().nullable(),
  /** Why it failed, or was not made. */
  err: z.string(),
  /**
   * Times that an entry of status 5 stands for, from `begin_time` to `end_time`: counted up to a thousand, less far when
   * many tasks are late at once.
   */
  missed: z.int(),
});
export type CrontabLogEntry = z.infer<typeof crontabLogEntrySchema>;
