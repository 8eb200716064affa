// A real DNS server (NSD) with one zone in which every name has the same A record; for tests and benches alike.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuthoritativeServer, startAuthoritativeServer } from './authoritative-server.ts';

/** Serves every name below `zone` (such as `example.test`) with one A record of this address, 60 s to live. */
export async function serveWildcardZone(zone: string, address: string): Promise<AuthoritativeServer> {
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-zone-'));
  try {
    const file = join(folder, zone);
    const records = ['@ IN SOA ns. admin. 1 60 60 60 60', '@ IN NS ns.', `* IN A ${address}`];
    await writeFile(file, [`$ORIGIN ${zone}.`, '$TTL 60', ...records, ''].join('\n'));
    return await startAuthoritativeServer({ zones: [{ name: zone, file }] });
  } finally {
    // NSD reads the zone as it starts, and not again.
    await rm(folder, { recursive: true, force: true });
  }
}
