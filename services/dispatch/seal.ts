// What tasks carry may hold passwords: it is stored under a seal, and opened by the replica that runs it.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

export type Seal = {
  /** Any JSON value, as octets that tell nothing of it. */
  close(value: unknown): Buffer;
  /** Throws `SealError` for what was sealed under another key, or changed since. */
  open(sealed: Buffer): unknown;
};

export class SealError extends Error {
  override readonly name = 'SealError';
}

/** AES-256-GCM (NIST SP 800-38D): version, nonce, tag, text. */
const algorithm = 'aes-256-gcm';
const version = 1;
const keyLength = 32;
const nonceLength = 12;
const tagLength = 16;
const headLength = 1 + nonceLength + tagLength;

/** `secret` is shared by all replicas: long and random, as no work is put into slowing down whoever guesses it. */
export function createSeal(secret: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'probe-task dispatch work', keyLength));
  return {
    close(value) {
      const nonce = randomBytes(nonceLength);
      const cipher = createCipheriv(algorithm, key, nonce);
      const text = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(version), nonce, cipher.getAuthTag(), text]);
    },
    open(sealed) {
      if (sealed.length < headLength || sealed[0] !== version) throw new SealError('is not sealed work');
      const decipher = createDecipheriv(algorithm, key, sealed.subarray(1, 1 + nonceLength), {
        authTagLength: tagLength,
      });
      decipher.setAuthTag(sealed.subarray(1 + nonceLength, headLength));
      return JSON.parse(openText(decipher, sealed.subarray(headLength)));
    },
  };
}

function openText(decipher: ReturnType<typeof createDecipheriv>, text: Buffer): string {
  try {
    return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new SealError('was sealed under another key', { cause: error });
  }
}
