// A DNS server that keeps answers back until a test lets them go: whoever asked has work under way for that long.
import { replyTo, type ScriptedQuery, startScriptedDnsServer } from './scripted-dns-server.ts';

export type HoldingDnsServer = {
  /** As `dns_servers` of a task has it. */
  text: string;
  /** Names asked for so far, in order of arrival; a name whose answer did not come in time is asked for again. */
  asked(): string[];
  /** Queries whose answers are held. */
  heldCount(): number;
  /** Sends what is held. */
  release(address?: string): void;
  /** Sends what is held, and answers at once from now on, with this address. */
  open(address?: string): void;
  /** Holds answers again. */
  close(): void;
  stop(): Promise<void>;
};

/** Holds answers to names that `holds` is true for, all of them unless told otherwise. */
export async function startHoldingDnsServer(
  holds: (name: string) => boolean = () => true,
): Promise<HoldingDnsServer> {
  let isOpen = false;
  let openAddress = '192.0.2.1';
  let held: ScriptedQuery[] = [];
  const answer = (query: ScriptedQuery, address: string) =>
    query.send(replyTo(query, { answers: [{ type: 'A', name: query.name, ttl: 60, data: address }] }));
  const server = await startScriptedDnsServer((query) => {
    if (!isOpen && holds(query.name)) held.push(query);
    else answer(query, openAddress);
  });
  function release(address = openAddress): void {
    for (const query of held) answer(query, address);
    held = [];
  }

  return {
    text: `${server.address}:${server.port}`,
    asked: () => server.queries.map(({ name }) => name),
    heldCount: () => held.length,
    release,
    open(address = openAddress) {
      isOpen = true;
      openAddress = address;
      release();
    },
    close() {
      isOpen = false;
    },
    stop: server.stop,
  };
}
