// The id of an agent, from where it is. Pure.
import { createHash } from 'node:crypto';
import { parseDispatchNode } from '../../../contracts/dispatch.ts';
import { type PlacePattern, wildcard } from '../../../contracts/place.ts';

/** As the operators call themselves in short. */
const carriers = new Map([
  ['电信', 'ct'],
  ['联通', 'cu'],
  ['移动', 'cm'],
  ['广电', 'cbn'],
  ['教育网', 'cernet'],
]);
const maxIdLength = 64;
const sshPort = 22;

/** `agent-440400-ct-10-0-0-1`, or `<prefix>-10-0-0-1`; the port follows where it is another than 22. */
export function composeAgentId(node: string, place: PlacePattern, prefix?: string): string {
  const { address, port } = parseDispatchNode(node) ?? { address: node, port: sshPort };
  const where = port === sshPort ? address : `${address}-${port}`;
  const region = [place.city, place.province, place.country].find((part) => part !== wildcard) ?? '';
  const start = prefix ?? `agent-${toToken(region)}-${carriers.get(place.carrier) ?? toToken(place.carrier)}`;
  return `${start}-${where.replaceAll(/[^A-Za-z0-9]/g, '-')}`.slice(0, maxIdLength);
}

/** Letters and digits as they are; a text with others by a digest of it, so that two of them stay apart. */
function toToken(text: string): string {
  if (/^[A-Za-z0-9_-]{1,12}$/.test(text)) return text;
  return createHash('sha256').update(text).digest('hex').slice(0, 6);
}
