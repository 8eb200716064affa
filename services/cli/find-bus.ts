// Where the bus is: as the environment says, else that of the local stack, else NATS's own port on this machine.
import { z } from 'zod';
import type { BusConfig } from '../../infra/bus/nats-bus.ts';
import { busConfig, busVariables, ConfigError, readConfig } from '../../infra/config.ts';
import { describeError } from '../../infra/error-text.ts';
import { resolveDataFolder } from '../../infra/local-stack/data-folder.ts';
import { isStillRunning } from '../../infra/local-stack/process-identity.ts';
import { readStackFile } from '../../infra/local-stack/stack-file.ts';

const variables = z.object(busVariables);

/** Throws `ConfigError` with every fault of the environment. */
export async function findBus(env: NodeJS.ProcessEnv): Promise<BusConfig> {
  const url = env.NATS_URL ? env.NATS_URL : await findStackUrl(resolveDataFolder(env));
  return busConfig(readConfig(variables, { ...env, NATS_URL: url }));
}

async function findStackUrl(dataFolder: string): Promise<string | undefined> {
  try {
    const stack = await readStackFile(dataFolder);
    // A stack that was killed leaves its file behind.
    return stack === null || !(await isStillRunning(stack)) ? undefined : stack.natsUrl;
  } catch (error) {
    throw new ConfigError([
      `DATA_DIR: stack.json in ${dataFolder} cannot be read (${describeError(error)}); set NATS_URL instead`,
    ]);
  }
}
