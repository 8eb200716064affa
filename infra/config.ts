// The environment, parsed once at the start of a process; what several services have in common.
import { accessSync, constants } from 'node:fs';
import { z } from 'zod';
import type { BusConfig } from './bus/nats-bus.ts';
import { describeError } from './error-text.ts';
import { logLevels } from './logger.ts';
import { isTimeZone } from './schedule/time-zone.ts';

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

export const timeZoneVariable = z.string().refine(isTimeZone, {
  error: 'expected a time zone of the IANA database, such as Asia/Shanghai',
});

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

function parseServerUrl(text: string, protocols: string[]): URL | undefined {
  const url = URL.parse(text);
  return url !== null && protocols.includes(url.protocol) && url.host !== '' ? url : undefined;
}

function expectedUrl(protocols: string[]): string {
  return `expected ${protocols.map((protocol) => `${protocol}//host:port`).join(' or ')}`;
}

/** One URL or several, parted by commas. */
function urlListVariable(protocols: string[]) {
  return z
    .string()
    .refine((text) => text.split(',').every((part) => parseServerUrl(part.trim(), protocols) !== undefined), {
      error: expectedUrl(protocols),
    });
}

/** Why a file cannot be read; undefined when it can. */
function findFileFault(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

const readableFile = z.string().check((context) => {
  const message = findFileFault(context.value);
  if (message !== undefined) context.issues.push({ code: 'custom', input: context.value, message });
});

/** Where the message bus is and how to log in. */
export const busVariables = {
  NATS_URL: urlListVariable(['nats:', 'tls:']).default('nats://127.0.0.1:4222'),
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

const databaseProtocols = ['postgres:', 'postgresql:'];

/** One URL. What it says of TLS must be understood: the driver passes over a name it does not know, and goes on without. */
export const databaseUrlVariable = z.string().check((context) => {
  const url = parseServerUrl(context.value, databaseProtocols);
  const faults =
    url === undefined || url.host.includes(',')
      ? [expectedUrl(databaseProtocols)]
      : [...url.searchParams].flatMap(([name, value]) => findTlsFault(name, value) ?? []);
  for (const message of faults) context.issues.push({ code: 'custom', input: context.value, message });
});

const tlsFiles = ['sslrootcert', 'sslcert', 'sslkey'];
const tlsWords = new Map([
  ['ssl', ['true', '1', '0', 'no-verify']],
  ['sslmode', ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']],
  ['sslnegotiation', ['postgres', 'direct']],
]);

/** What is wrong with a parameter of a database URL, as far as it is about TLS. */
function findTlsFault(name: string, value: string): string | undefined {
  if (!/^(ssl|tls)/i.test(name)) return undefined;
  if (tlsFiles.includes(name)) {
    const fault = findFileFault(value);
    return fault && `${name}: ${fault}`;
  }
  const words = tlsWords.get(name);
  if (words === undefined) return `unknown parameter ${name}`;
  return words.includes(value) ? undefined : `${name}: expected ${words.join(', ')}`;
}

/** Health and metrics of a process; port 0 takes any free one. */
export const operationVariables = {
  HTTP_HOST: z.string().default('127.0.0.1'),
  METRICS_PORT: integerVariable(0, 65535).default(0),
  LOG_LEVEL: logLevelSchema,
};

/** Keys of an API: several, so that a new one can be handed out before the old one goes; none leaves it open. */
export const apiKeysVariable = listVariable(
  z
    .string()
    .min(16, 'expected keys of at least 16 characters')
    .regex(/^[!-~]+$/, 'expected printable ASCII characters'),
).default([]);
