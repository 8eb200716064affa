// Text out of octets: the limit, characters that it would part, and what cannot be stored.
import { expect, test } from 'vitest';
import { storableText } from '../../../../infra/database/storable-text.ts';
import { createReplyText, maxReplyOctets } from '../../../../services/crontab/callback/reply-text.ts';

test('chunks are put together before they are read', () => {
  const octets = Buffer.from('中文');
  const reply = createReplyText();
  expect(reply.isEmpty()).toBe(true);
  for (const octet of octets) expect(reply.add(Buffer.from([octet]))).toBe(true);
  expect(reply.isEmpty()).toBe(false);
  expect(reply.read()).toEqual({ text: '中文', resp: '中文' });
});

test.each([
  ['x', 'x'.repeat(maxReplyOctets)],
  ['中', '中'.repeat(Math.floor(maxReplyOctets / 3))],
  ['🙂', '🙂'.repeat(maxReplyOctets / 4)],
])('what goes over the limit is dropped: %s', (character, text) => {
  const reply = createReplyText();
  const octets = Buffer.from(character.repeat(40_000));
  expect(reply.add(octets) && reply.add(octets)).toBe(false);
  expect(reply.add(octets)).toBe(false);
  expect(reply.read()).toEqual({ text, resp: `${text}\n…(cut after 64 KiB)` });
});

test('what cannot be stored is left out or replaced', () => {
  const reply = createReplyText();
  reply.add(Buffer.from([0x61, 0x00, 0xc3, 0x62]));
  expect(reply.read().resp).toBe('a\ufffdb');
  expect(storableText('a\0b\ud800c')).toBe('ab\ufffdc');
});
