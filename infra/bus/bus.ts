// What services need of a message bus; nats-bus.ts gives it over NATS.

/** A message that arrived. */
export type BusMessage = {
  subject: string;
  body: Uint8Array;
  /** Where an answer goes; undefined when the sender wants none. */
  replyTo: string | undefined;
  header(name: string): string | undefined;
  /** The server's word that nobody listens where the request went. */
  isNoResponders: boolean;
};

export type OutgoingMessage = {
  body?: Uint8Array;
  replyTo?: string;
  headers?: Record<string, string>;
};

export type Subscription = {
  /** False once it has ended, also when the server refused it; a refusal has come when `flush` resolves. */
  isOpen(): boolean;
  /** Takes no further messages; those already delivered have been handed over when it resolves. */
  drain(): Promise<void>;
};

export type Bus = {
  /** Largest message that the server takes: headers and body, octets. */
  maxPayload(): number;
  isConnected(): boolean;
  /** Calls back every time the connection is back after it was away. */
  onReconnect(listener: () => void): Subscription;
  /**
   * Sends one message when the present turn of the event loop ends, or before whatever is subscribed, asked, drained or
   * flushed after it. What is sent while the connection is away may be lost. Throws `PAYLOAD_TOO_LARGE` with both sizes
   * before the server would cut the connection.
   */
  publish(subject: string, message?: OutgoingMessage): void;
  /** Hands every message to `onMessage`. What it throws is logged and ends neither connection nor process. */
  subscribe(
    subject: string,
    onMessage: (message: BusMessage) => void,
    options?: { queue?: string },
  ): Subscription;
  /**
   * Asks and awaits one answer. Throws `UNAVAILABLE` when nobody listens, or at once while the connection is away (a
   * request sent then would be lost); `TIMEOUT` when no answer comes in time, though the request may have been carried
   * out.
   */
  request(subject: string, message: OutgoingMessage & { timeoutMs: number }): Promise<BusMessage>;
  /** A subject prefix of this process alone, under which it may receive. */
  inboxPrefix: string;
  /** Resolves when the server has taken everything published so far. */
  flush(): Promise<void>;
};
