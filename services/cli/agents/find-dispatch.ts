// Where the dispatch service is: as the command line or the environment says, else that of the local stack, else its own
// port on this machine.
import { ConfigError } from '../../../infra/config.ts';
import { describeError } from '../../../infra/error-text.ts';
import { resolveDataFolder } from '../../../infra/local-stack/data-folder.ts';
import { isStillRunning } from '../../../infra/local-stack/process-identity.ts';
import { readStackFile } from '../../../infra/local-stack/stack-file.ts';

export type DispatchAddress = { url: string; apiKey: string | undefined };

const ownUrl = 'http://127.0.0.1:6558';

/** Throws `ConfigError` with every fault of the address. */
export async function findDispatch(
  given: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<DispatchAddress> {
  const named = given ?? (env.DISPATCH_URL || undefined);
  const text = named ?? (await findStackUrl(resolveDataFolder(env))) ?? ownUrl;
  const url = URL.parse(text);
  const source = given === undefined ? 'DISPATCH_URL' : '--url';
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new ConfigError([`${source}: expected http://host:port or https://host:port`]);
  if (url.username !== '' || url.password !== '')
    throw new ConfigError([`${source}: a key does not belong there; set DISPATCH_API_KEY`]);
  return {
    url: `${url.origin}${url.pathname.replace(/\/+$/, '')}`,
    apiKey: env.DISPATCH_API_KEY || undefined,
  };
}

async function findStackUrl(dataFolder: string): Promise<string | undefined> {
  try {
    const stack = await readStackFile(dataFolder);
    // A stack that was killed leaves its file behind.
    if (stack === null || !(await isStillRunning(stack))) return undefined;
    return stack.services.find(({ name }) => name === 'dispatch')?.url;
  } catch (error) {
    throw new ConfigError([
      `DATA_DIR: stack.json in ${dataFolder} cannot be read (${describeError(error)}); set DISPATCH_URL instead`,
    ]);
  }
}
