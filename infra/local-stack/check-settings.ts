// Reads the settings that the stack itself needs before anything starts, by the same schemas as the services.
import { z } from 'zod';
import { busVariables, ConfigError, databaseUrlVariable, operationVariables, readConfig } from '../config.ts';
import { describeError } from '../error-text.ts';
import { findFree } from './start-on-free-port.ts';

const variables = z.object({
  ...busVariables,
  DATABASE_URL: databaseUrlVariable.optional(),
  HTTP_HOST: operationVariables.HTTP_HOST,
  LOG_LEVEL: operationVariables.LOG_LEVEL,
});

/** Rejects with `ConfigError`, one readable line per fault. */
export async function checkSettings(env: NodeJS.ProcessEnv): Promise<void> {
  const { HTTP_HOST } = readConfig(variables, env);
  try {
    await findFree(0, HTTP_HOST);
  } catch (error) {
    throw new ConfigError([`HTTP_HOST: ${describeError(error)}`]);
  }
}
