// Holds what is published until the event loop has been through all that had arrived, so that it leaves in one write.

export type Outbox<Message> = {
  /** Is sent when the present turn of the event loop ends. */
  add(message: Message): void;
  /** Sends what is held, in the order in which it was added: before whatever has to come after it. */
  send(): void;
};

/**
 * `send` is called for every message, all of a turn one after the other; what it throws goes to `onFault` and keeps no
 * other message back.
 *
 * The NATS package writes at the end of every callback, which for an agent is every reply of a DNS server. Held back,
 * writes are a third as many, and NATS, which reads and passes on as often as we write, takes 43 µs of CPU for a one-shot
 * call instead of 120. After a stall a turn may last for tens of milliseconds: what a timer adds then waits for the
 * reading of all that had arrived.
 */
export function createOutbox<Message>(options: {
  send: (message: Message) => void;
  onFault: (fault: unknown, message: Message) => void;
}): Outbox<Message> {
  const { send, onFault } = options;
  let held: Message[] = [];
  let turnEnd: NodeJS.Immediate | undefined;

  function sendAll(): void {
    clearImmediate(turnEnd);
    turnEnd = undefined;
    const messages = held;
    held = [];
    for (const message of messages) {
      try {
        send(message);
      } catch (fault) {
        onFault(fault, message);
      }
    }
  }

  return {
    add(message) {
      held.push(message);
      turnEnd ??= setImmediate(sendAll);
    },
    send: sendAll,
  };
}
