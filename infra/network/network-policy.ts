// Which addresses a service may be sent to. Internal ones are the purpose; an operator narrows them by lists of CIDRs.
import { BlockList } from 'node:net';
import { z } from 'zod';
import { embeddedAddress, type IpAddress, parseAddress } from './ip-address.ts';

export type NetworkPolicy = {
  /** Why nothing may be sent to this address, as the end of a sentence; undefined when it may. */
  findRefusal(address: string): string | undefined;
};

type Subnet = IpAddress & { prefix: number };

/**
 * Where a machine of a cloud finds its own credentials outside of the link-local networks, by their providers'
 * documents: Alibaba Cloud, Azure (WireServer), Oracle, AWS, Google, Scaleway, Akamai.
 */
const metadataNetworks = [
  '100.100.100.200',
  'fd00:100::100:200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:c1::a9fe:a9fe',
  'fd00:ec2::/32',
  'fd20:ce::254',
  'fd00:42::42',
  'fd00:a9fe:a9fe::1',
];

/** Refused whatever the lists say. The unspecified address reaches this machine, past a list that denies loopback. */
const refusedNetworks = [
  { reason: 'is link-local', networks: createList(['169.254.0.0/16', 'fe80::/10']) },
  { reason: "is a cloud's metadata service", networks: createList(metadataNetworks) },
  { reason: 'is no address of a host', networks: createList(['0.0.0.0/8', '::']) },
];

/** A subnet such as `10.0.0.0/8` or `fd00::/8`, or a single address. */
export const cidrSchema = z.string().refine((text) => parseSubnet(text) !== undefined, {
  error: 'expected a CIDR such as 10.0.0.0/8 or fd00::/8',
});

/**
 * `allow`, when not empty, holds all that may be reached, of which `deny` takes away; both are lists of CIDRs. An address
 * that carries an IPv4 address (IPv4-compatible, NAT64, 6to4) is refused where either of the two is denied. Throws for
 * what is no CIDR.
 */
export function createNetworkPolicy({ allow, deny }: { allow: string[]; deny: string[] }): NetworkPolicy {
  const allowed = allow.length === 0 ? undefined : createList(allow);
  const denied = createList(deny);

  function findFault(address: IpAddress): string | undefined {
    const refused = refusedNetworks.find(({ networks }) => contains(networks, address));
    if (refused !== undefined) return refused.reason;
    return contains(denied, address) ? 'is in a network that is denied here' : undefined;
  }

  return {
    findRefusal(text) {
      const address = parseAddress(text);
      if (address === undefined) return 'is no IP address';
      const fault = findFault(address);
      if (fault !== undefined) return fault;
      if (allowed !== undefined && !contains(allowed, address))
        return 'is in no network that is allowed here';
      const inner = embeddedAddress(address);
      return inner === undefined ? undefined : findFault(inner);
    },
  };
}

function createList(subnets: string[]): BlockList {
  const list = new BlockList();
  for (const text of subnets) {
    const subnet = parseSubnet(text);
    if (subnet === undefined) throw new Error(`not a CIDR: ${text}`);
    list.addSubnet(subnet.text, subnet.prefix, subnet.family);
  }
  return list;
}

function contains(list: BlockList, { text, family }: IpAddress): boolean {
  return list.check(text, family);
}

function parseSubnet(text: string): Subnet | undefined {
  const [, addressText = '', prefixText] = /^([\da-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const address = parseAddress(addressText);
  // An IPv4-mapped address has a prefix of its own count.
  if (address === undefined || (address.family === 'ipv4' && addressText.includes(':'))) return undefined;
  const longest = address.family === 'ipv4' ? 32 : 128;
  const prefix = prefixText === undefined ? longest : Number(prefixText);
  return prefix <= longest ? { ...address, prefix } : undefined;
}
