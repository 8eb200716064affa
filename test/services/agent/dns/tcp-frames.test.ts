// Messages come out of a TCP stream whole, however it is cut.
import { describe, expect, test } from 'vitest';
import { createFrameReader, frameMessage } from '../../../../services/agent/dns/tcp-frames.ts';

function collect() {
  const messages: Buffer[] = [];
  const read = createFrameReader((message) => {
    messages.push(Buffer.from(message));
    return true;
  });
  return { messages, read };
}

const sent = [Buffer.from('first'), Buffer.alloc(0), Buffer.alloc(65_535, 7), Buffer.from('last')];
const stream = Buffer.concat(sent.map(frameMessage));

describe('createFrameReader', () => {
  test.each([1, 2, 3, 5, 1460, 65_536, stream.length])(
    'reads a stream that comes in chunks of %d octets',
    (size) => {
      const { messages, read } = collect();
      for (let offset = 0; offset < stream.length; offset += size)
        read(stream.subarray(offset, offset + size));
      expect(messages.map((message) => message.length)).toEqual(sent.map((message) => message.length));
      expect(messages.every((message, index) => message.equals(sent[index] ?? Buffer.alloc(1)))).toBe(true);
    },
  );

  test('holds back a message whose last octet is missing', () => {
    const { messages, read } = collect();
    read(frameMessage(Buffer.from('whole')).subarray(0, -1));
    expect(messages).toEqual([]);
  });

  test('drops the rest of a chunk once it is told to stop', () => {
    let count = 0;
    const read = createFrameReader(() => ++count < 2);
    read(Buffer.alloc(1_000_000));
    expect(count).toBe(2);
  });
});
