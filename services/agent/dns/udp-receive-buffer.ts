// Gives every UDP socket a large receive buffer and says so when the system grants less.
import type { Socket } from 'node:dgram';

export type ReceiveBuffer = {
  /** Octets the system granted, null before the first socket. */
  readonly obtainedBytes: number | null;
  apply(socket: Socket): void;
};

export type EngineLogger = { warn(fields: Record<string, unknown>, text: string): void };

export type ReceiveBufferDeps = { bytes: number; logger: EngineLogger };

/**
 * Creates what sets the receive buffer of bound sockets to `bytes` octets. At Linux' default of 212,992 octets only
 * 256 replies survive a stall of the event loop. A smaller grant is logged once, with both sizes.
 */
export function createReceiveBuffer({ bytes, logger }: ReceiveBufferDeps): ReceiveBuffer {
  let obtainedBytes: number | null = null;

  function apply(socket: Socket): void {
    let refusal: unknown = null;
    try {
      socket.setRecvBufferSize(bytes);
    } catch (error) {
      // Some systems refuse a size above their limit where Linux cuts it down.
      refusal = error;
    }
    if (obtainedBytes !== null) return;
    // Linux doubles the size for its own bookkeeping and reports the double (socket(7), SO_RCVBUF).
    obtainedBytes = socket.getRecvBufferSize() / (process.platform === 'linux' ? 2 : 1);
    if (obtainedBytes < bytes) {
      logger.warn(
        { askedBytes: bytes, obtainedBytes, err: refusal ?? undefined },
        'UDP receive buffer smaller than asked: replies may be lost under load (raise net.core.rmem_max)',
      );
    }
  }

  return {
    get obtainedBytes() {
      return obtainedBytes;
    },
    apply,
  };
}
