// Who may call: whoever has one of the keys.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Says of the headers of a request whether they carry one of the keys, as `Authorization: Bearer KEY` or
 * `X-API-Key: KEY`. Without any key everybody may call.
 */
export function createKeyCheck(keys: readonly string[]): (headers: IncomingHttpHeaders) => boolean {
  const known = keys.map(digest);
  return (headers) => {
    if (known.length === 0) return true;
    const given = readKeys(headers).map(digest);
    // All are compared, and digests have one length: the time it takes tells nothing of a key.
    return known.filter((key) => given.filter((other) => timingSafeEqual(key, other)).length > 0).length > 0;
  };
}

function readKeys(headers: IncomingHttpHeaders): string[] {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const own = headers['x-api-key'];
  return [bearer, own].filter((key) => typeof key === 'string');
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
