// Few descriptors: idle sockets make room, and the engine keeps within what the system allows.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readDescriptorLimit } from '../../../../services/agent/dns/descriptor-limit.ts';
import { textReply } from '../../../helpers/scripted-dns-server.ts';
import { engineFor, serverFor } from './engine-setup.ts';

const run = promisify(execFile);
const descriptors = 120;

const reportSchema = z.object({
  statuses: z.record(z.string(), z.number()),
  warnings: z.array(z.string()),
  mostSockets: z.number(),
});

/** Runs an engine in a process of its own with few descriptors; it asks 120 servers each over UDP, TCP and UDP again. */
async function starve({ batch, limit = 0 }: { batch: number; limit?: number }) {
  // Over UDP a closed port at every address but one; its refusals leave a socket behind just as answers do.
  const udp = await serverFor((query) => query.send(textReply(query)));
  const tcp = await serverFor((query) => query.send(textReply(query)), { address: '0.0.0.0' });
  const script = join(import.meta.dirname, 'starved-engine.ts');
  const args = [script, udp.port, tcp.port, batch, limit].map(String);
  const shell = ['-c', `ulimit -n ${descriptors} && exec "$0" "$@"`, process.execPath, ...args];
  const { stdout } = await run('sh', shell, { timeout: 15_000 });
  return reportSchema.parse(JSON.parse(stdout));
}

const allAsExpected = { 'udp CONN_REFUSED': 240, 'tcp NOERROR': 120, 'udp NOERROR': 1 };

describe('an engine with 120 descriptors', () => {
  test('loses no query to sockets that stand idle when the system has none left', async () => {
    // It takes the limit to be far higher, as when the rest of the process holds most of the descriptors.
    const { statuses, warnings } = await starve({ batch: 10, limit: 100_000 });
    expect(statuses).toEqual(allAsExpected);
    expect(warnings).toEqual([]);
  });

  test('lets queries wait rather than fail when asked for more at once than it has sockets for', async () => {
    const { statuses, warnings, mostSockets } = await starve({ batch: 120 });
    expect(statuses).toEqual(allAsExpected);
    expect(warnings).toHaveLength(1);
    expect(mostSockets).toBeLessThanOrEqual(descriptors - 64);
    expect(mostSockets).toBeGreaterThan(20);
  });
});

test('the limit is known on Linux, and the engine says when it is too low', async () => {
  expect(readDescriptorLimit()).toBeGreaterThan(0);
  expect(engineFor({ descriptorLimit: 1_064 }).warnings).toMatchObject([
    { fields: { asked: 1024, maxInFlight: 500 } },
  ]);
  expect(engineFor({ descriptorLimit: 2_112 }).warnings).toEqual([]);
});
