// A process that asks many servers with few descriptors and prints what came of it; started by a test under `ulimit -n`.
import type { DnsServer } from '../../../../contracts/dns-server.ts';
import { createDnsEngine, type Resolution } from '../../../../services/agent/dns/engine.ts';

const [udpPort = 0, tcpPort = 0, batch = 0, limit = 0] = process.argv.slice(2).map(Number);
const serverCount = 120;
const warnings: string[] = [];
const engine = createDnsEngine({
  logger: { warn: (_, text) => warnings.push(text) },
  ...(limit > 0 ? { descriptorLimit: limit } : {}),
});
const statuses: Record<string, number> = {};
let mostSockets = 0;

async function ask(transport: DnsServer['transport'], address: string, port: number): Promise<void> {
  const server: DnsServer = { transport, address, family: 4, port };
  const query = { server, name: Uint8Array.of(1, 97, 0), rtype: 16 };
  const { promise, resolve } = Promise.withResolvers<Resolution>();
  engine.resolve(query, { deadlineAt: performance.now() + 10_000, lane: 'starved' }, resolve);
  const resolution = await promise;
  const { udpSockets, tcpConnections } = engine.stats();
  mostSockets = Math.max(mostSockets, udpSockets + tcpConnections);
  const key = `${transport} ${resolution.status}`;
  statuses[key] = (statuses[key] ?? 0) + 1;
}

/** Asks a server of its own with each query, so many at a time. */
async function askAll(transport: DnsServer['transport'], port: number): Promise<void> {
  for (let first = 1; first <= serverCount; first += batch) {
    const indexes = Array.from(
      { length: Math.min(batch, serverCount - first + 1) },
      (_, index) => first + index,
    );
    await Promise.all(indexes.map((index) => ask(transport, `127.0.1.${index}`, port)));
  }
}

await askAll('udp', udpPort);
await askAll('tcp', tcpPort);
await askAll('udp', udpPort);
const idle = engine.stats();
await ask('udp', '127.0.0.1', udpPort);
await engine.stop();
process.stdout.write(JSON.stringify({ statuses, warnings, mostSockets, idle }));
