// A real DNS server (NSD) that answers every A question below one zone: for work in bulk.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startAuthoritativeServer } from './authoritative-server.ts';
import { keepUntilTestEnd } from './cleanup.ts';

/** Resolves with its address, as `dns_servers` of a task has it; it ends with the present test. */
export async function startWildcardServer(zone: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-zone-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, zone);
  const records = ['@ IN SOA ns. admin. 1 60 60 60 60', '@ IN NS ns.', '* IN A 192.0.2.1'];
  await writeFile(file, [`$ORIGIN ${zone}.`, '$TTL 60', ...records, ''].join('\n'));
  const { address, port } = keepUntilTestEnd(
    await startAuthoritativeServer({ zones: [{ name: zone, file }] }),
  );
  return `${address}:${port}`;
}
