// `stack.json` in the data folder: where the running stack is, for the command line and for people.
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemErrorCode } from '../error-text.ts';

const stackAddressesSchema = z.object({
  pid: z.int().positive(),
  /** Of the process, as process-identity.ts has it: its pid may by now belong to another. */
  startedAt: z.string(),
  natsUrl: z.string(),
  databaseUrl: z.string(),
  /** `host:port` of the example zone's DNS server. */
  exampleZone: z.string(),
  /** `url`: of its API, where it has one over HTTP. */
  services: z.array(z.object({ name: z.string(), url: z.string().optional(), metricsUrl: z.string() })),
});
export type StackAddresses = z.infer<typeof stackAddressesSchema>;

/** Readable by its owner only: the URLs hold passwords. Written whole or not at all. */
export async function writeStackFile(dataFolder: string, addresses: StackAddresses): Promise<void> {
  const path = stackFile(dataFolder);
  await writeFile(`${path}.new`, `${JSON.stringify(addresses, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** The addresses of the stack that runs on this data folder, or null when none runs. */
export async function readStackFile(dataFolder: string): Promise<StackAddresses | null> {
  let text: string;
  try {
    text = await readFile(stackFile(dataFolder), 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
  return stackAddressesSchema.parse(JSON.parse(text));
}

export async function removeStackFile(dataFolder: string): Promise<void> {
  await rm(stackFile(dataFolder), { force: true });
}

function stackFile(dataFolder: string): string {
  return join(dataFolder, 'stack.json');
}
