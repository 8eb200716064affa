// Tells calls that a browser makes for a page of somebody else.
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/**
 * A body is read whatever its content type, so a browser would post one for any page without asking first. What it says
 * of the page is believed: `Sec-Fetch-Site` (Fetch Metadata), and `Origin` (RFC 6454) of browsers that do not send that.
 * Callers other than browsers send neither.
 */
export function isForeignPage(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin, host } = headers;
  return origin !== undefined && URL.parse(origin)?.host !== host?.toLowerCase();
}

/**
 * Is it a browser that knows this machine by a name? Whoever owns a name may lead it here (DNS rebinding), and a page of
 * theirs is of the same origin then. An address, and `localhost`, are nobody's to give.
 */
export function isNamedInBrowser({ host = '', origin, ...headers }: IncomingHttpHeaders): boolean {
  if (origin === undefined && headers['sec-fetch-site'] === undefined) return false;
  const name = URL.parse(`http://${host}`)?.hostname ?? '';
  const isOurs = /(^|\.)localhost$/.test(name) || isIP(name.replace(/^\[|\]$/g, '')) !== 0;
  return !isOurs;
}
