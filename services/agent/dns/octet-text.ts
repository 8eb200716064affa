// Text forms of octet strings: quoted strings, hexadecimal, base64, base32hex, IP addresses.

const quote = 0x22;
const backslash = 0x5c;

/** The octets in double quotes, with `\"`, `\\` and `\DDD` for octets outside 0x20–0x7e (RFC 1035 section 5.1). */
export function formatQuoted(octets: Buffer): string {
  return `"${escapeQuoted(octets)}"`;
}

/** As formatQuoted, without the quotes. Runs that need no escape are turned into text at once. */
export function escapeQuoted(octets: Buffer): string {
  let text = '';
  let plainStart = 0;
  for (let index = 0; index < octets.length; index += 1) {
    const octet = octets.readUInt8(index);
    if (octet >= 0x20 && octet < 0x7f && octet !== quote && octet !== backslash) continue;
    if (plainStart < index) text += octets.toString('latin1', plainStart, index);
    text += octet === quote ? '\\"' : octet === backslash ? '\\\\' : `\\${String(octet).padStart(3, '0')}`;
    plainStart = index + 1;
  }
  return plainStart === 0 ? octets.toString('latin1') : text + octets.toString('latin1', plainStart);
}

/** Lower-case hexadecimal in chunks of 128 digits. */
export function formatHex(octets: Buffer): string {
  return parted(octets.toString('hex'), 128, ' ');
}

/** Base64 in chunks of 32 characters. */
export function formatBase64(octets: Buffer): string {
  return parted(octets.toString('base64'), 32, ' ');
}

/** `text` with `separator` after every `size` characters. */
export function parted(text: string, size: number, separator: string): string {
  if (text.length <= size) return text;
  const parts: string[] = [];
  for (let start = 0; start < text.length; start += size) parts.push(text.slice(start, start + size));
  return parts.join(separator);
}

const base32hexDigits = '0123456789abcdefghijklmnopqrstuv';

/** Base32 with the extended hex alphabet, lower case, without padding (RFC 4648 section 7, RFC 5155 section 3.3). */
export function formatBase32hex(octets: Buffer): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const octet of octets) {
    held = (held << 8) | octet;
    for (bits += 8; bits >= 5; bits -= 5) text += base32hexDigits.charAt((held >> (bits - 5)) & 31);
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + base32hexDigits.charAt((held << (5 - bits)) & 31);
}

// Three concatenations for an address instead of six, and no number to be turned into text.
const octetTexts = Array.from({ length: 256 }, (_, octet) => String(octet));
const dottedOctets = octetTexts.map((text) => `${text}.`);

/** The four octets at `offset` in dotted form. */
export function formatIpv4(packet: Buffer, offset: number): string {
  const first = dottedOctets[packet.readUInt8(offset)];
  const second = dottedOctets[packet.readUInt8(offset + 1)];
  const third = dottedOctets[packet.readUInt8(offset + 2)];
  const last = octetTexts[packet.readUInt8(offset + 3)];
  return `${first}${second}${third}${last}`;
}

/**
 * The sixteen octets at `offset`: the first longest run of two or more zero groups becomes `::` (RFC 5952), and
 * IPv4-mapped and IPv4-compatible addresses end in dotted form.
 */
export function formatIpv6(packet: Buffer, offset: number): string {
  let bestStart = 0;
  let bestLength = 0;
  let runLength = 0;
  for (let group = 0; group < 8; group += 1) {
    runLength = packet.readUInt16BE(offset + group * 2) === 0 ? runLength + 1 : 0;
    if (runLength > bestLength) {
      bestLength = runLength;
      bestStart = group + 1 - runLength;
    }
  }
  if (bestLength < 2) return formatGroups(packet, offset, 0, 8);
  if (bestStart === 0 && bestLength === 6) return `::${formatIpv4(packet, offset + 12)}`;
  if (bestStart === 0 && bestLength === 5 && packet.readUInt16BE(offset + 10) === 0xffff)
    return `::ffff:${formatIpv4(packet, offset + 12)}`;
  const head = formatGroups(packet, offset, 0, bestStart);
  return `${head}::${formatGroups(packet, offset, bestStart + bestLength, 8)}`;
}

function formatGroups(packet: Buffer, offset: number, first: number, end: number): string {
  let text = '';
  for (let group = first; group < end; group += 1) {
    const digits = packet.readUInt16BE(offset + group * 2).toString(16);
    text = group === first ? digits : `${text}:${digits}`;
  }
  return text;
}
