// The environment, parsed once at the start of a process; what several services have in common.
import { accessSync, constants } from 'node:fs';
import { z } from 'zod';
import type { BusConfig } from './bus/nats-bus.ts';
import { describeError } from './error-text.ts';
import { logLevels } from './logger.ts';

/** What is wrong with the environment, one readable line per fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: string[];

  constructor(faults: string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/** Parses the environment; an empty variable counts as missing. Throws `ConfigError` with every fault. */
export function readConfig<Schema extends z.ZodType>(
  schema: Schema,
  env: NodeJS.ProcessEnv,
): z.output<Schema> {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map(({ path, message, code, input }) => {
      const isMissing = code === 'invalid_type' && input === undefined;
      return `${path.map(String).join('.')}: ${isMissing ? 'is missing' : message}`;
    }),
  );
}

export const logLevelSchema = z
  .enum(logLevels, {
    error: 'expected fatal, error, warn, info, debug, trace or silent',
  })
  .default('info');

/** A whole number within bounds, written in decimal. */
export function integerVariable(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, `expected a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, {
      error: `expected a whole number from ${min} to ${max}`,
    });
}

/** Entries parted by commas; blanks around them do not count. */
export function listVariable<Item extends z.ZodType<unknown, string>>(item: Item) {
  return z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(item));
}

function urlVariable(protocols: string[]) {
  const expected = `expected ${protocols.map((protocol) => `${protocol}//host:port`).join(' or ')}`;
  return z.string().refine(
    (text) =>
      text.split(',').every((part) => {
        const url = URL.parse(part.trim());
        return url !== null && protocols.includes(url.protocol) && url.host !== '';
      }),
    { error: expected },
  );
}

const readableFile = z.string().check((context) => {
  try {
    accessSync(context.value, constants.R_OK);
  } catch (error) {
    context.issues.push({ code: 'custom', input: context.value, message: describeError(error) });
  }
});

/** Where the message bus is and how to log in. */
export const busVariables = {
  NATS_URL: urlVariable(['nats:', 'tls:']).default('nats://127.0.0.1:4222'),
  NATS_CREDS: readableFile.optional(),
  NATS_USER: z.string().optional(),
  NATS_PASSWORD: z.string().optional(),
  NATS_CA: readableFile.optional(),
  NATS_INBOX_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/, 'expected subject tokens parted by dots')
    .optional(),
};

/** A login may stand in the URL (`nats://user:password@host`, `nats://token@host`); NATS_USER goes before it. */
export function busConfig(env: z.output<z.ZodObject<typeof busVariables>>): BusConfig {
  const urls = env.NATS_URL.split(',').map((text) => new URL(text.trim()));
  const login = urls.find(({ username }) => username !== '');
  const name = login && decodeURIComponent(login.username);
  const password = login && decodeURIComponent(login.password);
  return {
    servers: urls.map(({ protocol, host }) => `${protocol}//${host}`),
    credsFile: env.NATS_CREDS,
    user: env.NATS_USER ?? (password ? name : undefined),
    password: env.NATS_PASSWORD ?? password,
    token: env.NATS_USER === undefined && !password ? name : undefined,
    caFile: env.NATS_CA,
    inboxPrefix: env.NATS_INBOX_PREFIX,
  };
}

export const databaseUrlVariable = urlVariable(['postgres:', 'postgresql:']);

/** Health and metrics of a process; port 0 takes any free one. */
export const operationVariables = {
  HTTP_HOST: z.string().default('127.0.0.1'),
  METRICS_PORT: integerVariable(0, 65535).default(0),
  LOG_LEVEL: logLevelSchema,
};
