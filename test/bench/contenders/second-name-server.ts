// A second NSD beside the one that the benches share: the same zone at another address and port.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAuthoritativeServer } from '../../helpers/authoritative-server.ts';
import { zone, zoneAddress } from '../harness/platform.ts';

export async function startSecondNameServer(): Promise<{
  address: string;
  port: number;
  stop(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-zone-'));
  const file = join(folder, zone);
  const records = ['@ IN SOA ns. admin. 1 60 60 60 60', '@ IN NS ns.', `* IN A ${zoneAddress}`];
  await writeFile(file, [`$ORIGIN ${zone}.`, '$TTL 60', ...records, ''].join('\n'));
  // It reads the zone as it starts, and not again.
  const server = await startAuthoritativeServer({ zones: [{ name: zone, file }] }).finally(() =>
    rm(folder, { recursive: true }),
  );
  return server;
}
