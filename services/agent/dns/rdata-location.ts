// Text of LOC records (RFC 1876).
import { MalformedPacket } from './malformed-packet.ts';
import type { PacketReader } from './packet-reader.ts';

const equator = 0x80000000;
const degreeMs = 3_600_000;
const altitudeBaseCm = 10_000_000;
const defaultSizesCm = { size: 100, horizontal: 1_000_000, vertical: 1_000 };

/**
 * Latitude and longitude in degrees, minutes and seconds, altitude in metres, then size, horizontal and vertical
 * precision in metres unless all three are the defaults.
 */
export function formatLoc(rdata: PacketReader): string {
  if (rdata.uint8() !== 0) throw new MalformedPacket('a LOC record has an unknown version');
  const size = readSizeCm(rdata);
  const horizontal = readSizeCm(rdata);
  const vertical = readSizeCm(rdata);
  const latitude = formatCoordinate(rdata.uint32() - equator, 90, 'N', 'S');
  const longitude = formatCoordinate(rdata.uint32() - equator, 180, 'E', 'W');
  const place = `${latitude} ${longitude} ${formatMetres(rdata.uint32() - altitudeBaseCm)}`;
  const { size: defaultSize, horizontal: defaultHorizontal, vertical: defaultVertical } = defaultSizesCm;
  if (size === defaultSize && horizontal === defaultHorizontal && vertical === defaultVertical) return place;
  return `${place} ${formatMetres(size)} ${formatMetres(horizontal)} ${formatMetres(vertical)}`;
}

/** A size in cm: the upper four bits times ten to the power of the lower four. */
function readSizeCm(rdata: PacketReader): number {
  const octet = rdata.uint8();
  const base = octet >> 4;
  const exponent = octet & 0x0f;
  if (base > 9 || exponent > 9) throw new MalformedPacket('a LOC size is out of range');
  return base * 10 ** exponent;
}

function formatCoordinate(offsetMs: number, maxDegrees: number, positive: string, negative: string): string {
  const total = Math.abs(offsetMs);
  if (total > maxDegrees * degreeMs) throw new MalformedPacket('a LOC coordinate is out of range');
  const degrees = Math.trunc(total / degreeMs);
  const minutes = Math.trunc(total / 60_000) % 60;
  const seconds = Math.trunc(total / 1_000) % 60;
  const milliseconds = String(total % 1_000).padStart(3, '0');
  return `${degrees} ${minutes} ${seconds}.${milliseconds} ${offsetMs < 0 ? negative : positive}`;
}

function formatMetres(cm: number): string {
  const total = Math.abs(cm);
  return `${cm < 0 ? '-' : ''}${Math.trunc(total / 100)}.${String(total % 100).padStart(2, '0')}m`;
}
