// Headers by which a receiver knows an occurrence again and who sent it (Standard Webhooks 1.0).
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { keepResults } from './bounded-cache.ts';

const maxKeptKeys = 1000;

const keyOf = keepResults(
  maxKeptKeys,
  (secret): KeyObject => createSecretKey(Buffer.from(secret.replace(/^whsec_/, ''), 'base64')),
);

/**
 * Names and values in turn: `webhook-id`, `webhook-timestamp` (Unix seconds), and with a secret (`whsec_<base64>`)
 * `webhook-signature`: HMAC-SHA256 over `id.timestamp.payload`, where the payload is exactly what is sent.
 */
export function webhookHeaders(
  { messageId, payload, secret }: { messageId: string; payload: string; secret: string | undefined },
  nowMs: number,
): string[] {
  const timestamp = Math.floor(nowMs / 1000).toString();
  const headers = ['webhook-id', messageId, 'webhook-timestamp', timestamp];
  if (secret === undefined) return headers;
  const signature = createHmac('sha256', keyOf(secret))
    .update(`${messageId}.${timestamp}.${payload}`)
    .digest('base64');
  headers.push('webhook-signature', `v1,${signature}`);
  return headers;
}
