// The call that benches repeat: one name of one server, by the one agent that there is, and its reply.
import type { DnsServer } from '../../../contracts/dns-server.ts';
import { zone, zoneAddress } from '../harness/platform.ts';

/** Who the one agent is. */
export const agentEnv = {
  AGENT_ID: 'bench',
  AGENT_COUNTRY: '86',
  AGENT_PROVINCE: '1',
  AGENT_CITY: '2',
  AGENT_CARRIER: 'x',
};

export const domain = `www.${zone}`;
export const expectedReply = JSON.stringify({ results: [zoneAddress] });

/** Body of the request, as JSON. */
export function requestBody({ address, port }: DnsServer): string {
  return JSON.stringify({
    probe_data: { dns_servers: [`${address}:${port}`] },
    target: { type: 'domain', rtype: 'A', data: domain },
  });
}
