// DNS messages in a TCP stream: each after its length in two octets (RFC 1035 section 4.2.2).

/** A message with its length before it, as one buffer: some servers take them badly in two segments (RFC 7766 section 8). */
export function frameMessage(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(2 + message.length);
  frame.writeUInt16BE(message.length, 0);
  message.copy(frame, 2);
  return frame;
}

/**
 * Returns a reader that is fed chunks of the stream as they come and calls `onMessage` for each message, however the
 * chunks cut it. A message may share the chunk's memory. The reader holds one unfinished message at most, thus 64 KiB;
 * it drops the rest of the chunk once `onMessage` returns false.
 */
export function createFrameReader(onMessage: (message: Buffer) => boolean): (chunk: Buffer) => void {
  const header = Buffer.alloc(2);
  let headerOctets = 0;
  let body: Buffer | null = null;
  let bodyOctets = 0;

  return (chunk) => {
    let offset = 0;
    while (offset < chunk.length) {
      if (headerOctets < 2) {
        header[headerOctets++] = chunk.readUInt8(offset++);
        if (headerOctets < 2) continue;
      }
      const length = header.readUInt16BE(0);
      if (body === null && chunk.length - offset >= length) {
        headerOctets = 0;
        offset += length;
        if (!onMessage(chunk.subarray(offset - length, offset))) return;
        continue;
      }
      // Filled in place: joining buffers for each chunk would be quadratic for a server that sends single octets.
      body ??= Buffer.allocUnsafeSlow(length);
      const taken = chunk.copy(body, bodyOctets, offset);
      offset += taken;
      bodyOctets += taken;
      if (bodyOctets < length) continue;
      const message = body;
      headerOctets = 0;
      body = null;
      bodyOctets = 0;
      if (!onMessage(message)) return;
    }
  };
}
