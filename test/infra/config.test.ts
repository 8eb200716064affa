// The environment of a process, parsed.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  apiKeysVariable,
  busConfig,
  busVariables,
  ConfigError,
  databaseUrlVariable,
  integerVariable,
  listVariable,
  readConfig,
  timeZoneVariable,
} from '../../infra/config.ts';
import { hideLogin } from '../../infra/hide-login.ts';

const bus = z.object(busVariables);

describe('readConfig', () => {
  const variables = z.object({
    LIMIT: integerVariable(1, 10).default(5),
    NAMES: listVariable(z.string().max(3)).default([]),
    NEEDED: z.string(),
  });

  test('takes an empty variable for a missing one, and defaults', () => {
    expect(readConfig(variables, { LIMIT: '', NEEDED: 'x' })).toEqual({ LIMIT: 5, NAMES: [], NEEDED: 'x' });
  });

  test('reads lists with blanks around their entries', () => {
    expect(readConfig(variables, { NAMES: ' a, b ,,c ', NEEDED: 'x' }).NAMES).toEqual(['a', 'b', 'c']);
  });

  test.each(['0', '11', '1.5', '-1', 'x', '1e1', ' 1'])(
    'refuses %j as a whole number from 1 to 10',
    (LIMIT) => {
      expect(() => readConfig(variables, { LIMIT, NEEDED: 'x' })).toThrow(
        new ConfigError(['LIMIT: expected a whole number from 1 to 10']),
      );
    },
  );

  test('takes a time zone by its name, and says what one looks like', () => {
    const zone = z.object({ ZONE: timeZoneVariable });
    expect(readConfig(zone, { ZONE: 'Europe/Berlin' })).toEqual({ ZONE: 'Europe/Berlin' });
    expect(() => readConfig(zone, { ZONE: 'Asia/Nowhere' })).toThrow(
      new ConfigError(['ZONE: expected a time zone of the IANA database, such as Asia/Shanghai']),
    );
  });

  test('names every fault in a line of its own', () => {
    expect(() => readConfig(variables, { LIMIT: '0', NAMES: 'a,long' })).toThrow(
      expect.objectContaining({
        faults: [
          'LIMIT: expected a whole number from 1 to 10',
          expect.stringMatching(/^NAMES\.1: /),
          'NEEDED: is missing',
        ],
      }),
    );
  });
});

describe('apiKeysVariable', () => {
  const variables = z.object({ KEYS: apiKeysVariable });

  test('reads several keys, and none', () => {
    expect(readConfig(variables, { KEYS: 'first-key-0123456, second-key-012345' }).KEYS).toEqual([
      'first-key-0123456',
      'second-key-012345',
    ]);
    expect(readConfig(variables, {}).KEYS).toEqual([]);
  });

  test.each([
    ['short', 'expected keys of at least 16 characters'],
    ['two words are no key', 'expected printable ASCII characters'],
  ])('refuses %j, and does not tell it', (key, reason) => {
    expect(() => readConfig(variables, { KEYS: `first-key-0123456,${key}` })).toThrow(
      new ConfigError([`KEYS.1: ${reason}`]),
    );
  });
});

describe('busConfig', () => {
  const read = (env: NodeJS.ProcessEnv) => busConfig(readConfig(bus, env));

  test('takes several servers, and the login that stands in a URL', () => {
    expect(read({ NATS_URL: 'nats://ann:p%40ss@one:4222, tls://two' })).toMatchObject({
      servers: ['nats://one:4222', 'tls://two'],
      user: 'ann',
      password: 'p@ss',
      token: undefined,
    });
    expect(read({ NATS_URL: 'nats://t0ken@one' })).toMatchObject({ user: undefined, token: 't0ken' });
  });

  test('lets NATS_USER go before the URL', () => {
    const env = { NATS_URL: 'nats://t0ken@one', NATS_USER: 'bob', NATS_PASSWORD: 'x' };
    expect(read(env)).toMatchObject({ user: 'bob', password: 'x', token: undefined });
  });

  test.each(['http://one', 'one:4222', 'ws://one', 'nats://', ''])('refuses or defaults %j', (NATS_URL) => {
    if (NATS_URL === '') expect(read({ NATS_URL }).servers).toEqual(['nats://127.0.0.1:4222']);
    else expect(() => read({ NATS_URL })).toThrow(ConfigError);
  });
});

describe('databaseUrlVariable', () => {
  const read = (DATABASE_URL: string) =>
    readConfig(z.object({ DATABASE_URL: databaseUrlVariable }), { DATABASE_URL });
  const faultsOf = (url: string) => {
    try {
      read(url);
      return [];
    } catch (error) {
      return error instanceof ConfigError ? error.faults : error;
    }
  };
  const here = import.meta.filename;

  test.each([
    'postgres://u:p,w@host:5432/db',
    'postgresql://host/db?application_name=x',
    'postgres://host/db?sslmode=no-verify',
    `postgres://host/db?sslmode=verify-full&sslrootcert=${here}&sslcert=${here}&sslkey=${here}`,
    'postgres://host/db?ssl=true&sslnegotiation=direct',
  ])('takes %s', (url) => {
    expect(read(url)).toEqual({ DATABASE_URL: url });
  });

  const expected = 'DATABASE_URL: expected postgres://host:port or postgresql://host:port';
  const modes = 'expected disable, prefer, require, verify-ca, verify-full, no-verify';
  test.each([
    ['mysql://host/db', [expected]],
    ['postgres:///db', [expected]],
    ['postgres://one,two/db', [expected]],
    ['postgres://u:secret@host/db?sslmode=verify_full', [`DATABASE_URL: sslmode: ${modes}`]],
    ['postgres://u:secret@host/db?ssl_mode=verify-full', ['DATABASE_URL: unknown parameter ssl_mode']],
    ['postgres://u:secret@host/db?SSLMODE=verify-full', ['DATABASE_URL: unknown parameter SSLMODE']],
    ['postgres://u:secret@host/db?ssl=yes', ['DATABASE_URL: ssl: expected true, 1, 0, no-verify']],
    [
      'postgres://u:secret@host/db?sslmode=on&sslrootcert=nowhere.crt',
      [
        `DATABASE_URL: sslmode: ${modes}`,
        "DATABASE_URL: sslrootcert: ENOENT: no such file or directory, access 'nowhere.crt'",
      ],
    ],
  ])('refuses %s, with a line for each fault and without its password', (url, faults) => {
    expect(faultsOf(url)).toEqual(faults);
  });
});

describe('hideLogin', () => {
  test.each([
    ['nats://ann:secret@one:4222', 'nats://…@one:4222'],
    ['nats://t0ken@one,nats://two', 'nats://…@one,nats://two'],
    ['postgres://u:p@ss@host/db', 'postgres://…@host/db'],
    ['postgres://host/db?user=u&password=secret&x=1', 'postgres://host/db?user=u&password=…&x=1'],
    ['postgres://u:p,w@host/db', 'postgres://…@host/db'],
    ['nats://a:1,2@one, tls://b@two', 'nats://…@one, tls://…@two'],
    ['nats://one', 'nats://one'],
  ])('of %s leaves %s', (url, shown) => {
    expect(hideLogin(url)).toBe(shown);
  });
});
