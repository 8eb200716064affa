// A bus that keeps the last reply: the client hands on only the fields that its contract knows, and no headers.
import type { Bus } from '../../infra/bus/bus.ts';

export type RecordedReply = {
  /** As it came, that of an error included; empty as long as nothing came. */
  body: Uint8Array;
  header(name: string): string | undefined;
};

export type RecordingBus = Bus & {
  lastReply(): RecordedReply;
  /** As if nothing had come yet. */
  forget(): void;
};

const nothing: RecordedReply = { body: new Uint8Array(), header: () => undefined };

export function recordReply(bus: Bus): RecordingBus {
  let last = nothing;
  return {
    ...bus,
    async request(subject, message) {
      const reply = await bus.request(subject, message);
      last = { body: new Uint8Array(reply.body), header: (name) => reply.header(name) };
      return reply;
    },
    lastReply: () => last,
    forget() {
      last = nothing;
    },
  };
}
