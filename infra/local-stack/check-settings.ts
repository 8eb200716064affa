// Reads the settings that the stack itself needs before anything starts, by the same schemas as the services.
import { z } from 'zod';
import {
  busVariables,
  ConfigError,
  databaseUrlVariable,
  integerVariable,
  operationVariables,
  readConfig,
} from '../config.ts';
import { describeError } from '../error-text.ts';
import { readHttpHost } from './http-address.ts';
import type { StackService } from './services.ts';
import { findFree } from './start-on-free-port.ts';

const variables = z.object({
  ...busVariables,
  DATABASE_URL: databaseUrlVariable.optional(),
  HTTP_HOST: operationVariables.HTTP_HOST,
  LOG_LEVEL: operationVariables.LOG_LEVEL,
});

/** Rejects with `ConfigError`, one readable line per fault. */
export async function checkSettings(
  services: readonly StackService[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const ports = services.flatMap(({ port }) => (port === undefined ? [] : [port.variable]));
  const portVariables = Object.fromEntries(
    ports.map((variable) => [variable, integerVariable(0, 65535).optional()]),
  );
  readConfig(variables.extend(portVariables), env);
  try {
    await findFree(0, readHttpHost(env));
  } catch (error) {
    throw new ConfigError([`HTTP_HOST: ${describeError(error)}`]);
  }
}
