// A bus that keeps the body of the last reply: the client hands on only the fields that its contract knows.
import type { Bus } from '../../infra/bus/bus.ts';

export type RecordingBus = Bus & {
  /** The body as it came, that of an error included; empty as long as nothing came. */
  lastReply(): Uint8Array;
};

export function recordReply(bus: Bus): RecordingBus {
  let body = new Uint8Array();
  return {
    ...bus,
    async request(subject, message) {
      const reply = await bus.request(subject, message);
      body = new Uint8Array(reply.body);
      return reply;
    },
    lastReply: () => body,
  };
}
