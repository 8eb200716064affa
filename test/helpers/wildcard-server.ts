// A real DNS server (NSD) that answers every A question below one zone: for work in bulk.
import { keepUntilTestEnd } from './cleanup.ts';
import { serveWildcardZone } from './wildcard-zone.ts';

/** Resolves with its address, as `dns_servers` of a task has it; it ends with the present test. */
export async function startWildcardServer(zone: string): Promise<string> {
  const { address, port } = keepUntilTestEnd(await serveWildcardZone(zone, '192.0.2.1'));
  return `${address}:${port}`;
}
