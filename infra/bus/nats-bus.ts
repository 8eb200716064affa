// The bus over NATS. The only module that imports the `nats` package, so that its successor can replace it here.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  NatsError,
  headers as natsHeaders,
  type PublishOptions,
} from 'nats';
import { ProbeTaskError } from '../../contracts/errors.ts';
import { describeError } from '../error-text.ts';
import type { Component } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import type { Bus, BusMessage, OutgoingMessage } from './bus.ts';
import { createOutbox } from './outbox.ts';

export type BusConfig = {
  /** URLs without login. */
  servers: string[];
  credsFile?: string | undefined;
  user?: string | undefined;
  token?: string | undefined;
  password?: string | undefined;
  caFile?: string | undefined;
  /** First part of every inbox; servers with permissions per role give each role its own. */
  inboxPrefix?: string | undefined;
};

const reconnectFloorMs = 100;
const reconnectCeilingMs = 5000;
/** Of one try to connect for the first time. */
const attemptLimitMs = 10_000;
const empty = new Uint8Array();

/**
 * `start` connects, waiting for a server as long as it takes; afterwards the connection comes back by itself, for ever,
 * with growing pauses. With `connectTimeoutMs` it tries every server once, so many milliseconds in all, and throws
 * `UNAVAILABLE` when none takes it. `stop` sends what is pending and closes: everything that still needs an answer must
 * have ended before.
 */
export function createBus(options: {
  config: BusConfig;
  name: string;
  logger: Logger;
  connectTimeoutMs?: number;
}): Bus & Component {
  const { config, name, logger, connectTimeoutMs } = options;
  const reconnectListeners = new Set<() => void>();
  const stopped = Promise.withResolvers<void>();
  let connection: NatsConnection | undefined;
  let isUp = false;
  /** To connect, since the connection was last there. */
  let attempts = 0;
  let stopping: Promise<void> | undefined;
  const outbox = createOutbox<{ subject: string; body: Uint8Array; options: PublishOptions }>({
    send: ({ subject, body, options }) => connected().publish(subject, body, options),
    onFault: (fault, { subject }) => logger.error({ err: fault, subject }, 'a message could not be sent'),
  });

  async function watchStatus(watched: NatsConnection): Promise<void> {
    for await (const { type, data, permissionContext } of watched.status()) {
      if (type === 'disconnect' || type === 'reconnect') {
        isUp = type === 'reconnect';
        logger.warn({ server: data }, isUp ? 'bus is back' : 'bus is away');
        if (isUp) attempts = 0;
        if (isUp) for (const listener of reconnectListeners) listener();
      } else if (type === 'error')
        logger.error({ fault: data, ...permissionContext }, 'bus refused an operation');
    }
  }

  /** Random within bounds that grow, so that a thousand agents do not come back in the same moment. */
  function nextPauseMs(): number {
    attempts += 1;
    const ceiling = Math.min(reconnectCeilingMs, reconnectFloorMs * 2 ** Math.min(attempts, 6));
    return reconnectFloorMs + Math.random() * (ceiling - reconnectFloorMs);
  }

  /** Tries until a server takes the connection, and says why it has to wait; undefined when stopped meanwhile. */
  async function open(options: ConnectionOptions): Promise<NatsConnection | undefined> {
    let told: string | undefined;
    while (stopping === undefined) {
      try {
        return await connectOnce(options, connectTimeoutMs ?? attemptLimitMs);
      } catch (error) {
        if (connectTimeoutMs !== undefined) throw error;
        const reason = describeError(error);
        if (reason !== told) logger.warn({ servers: config.servers, reason }, 'waiting for the bus');
        told = reason;
        await Promise.race([pause(nextPauseMs(), undefined, { ref: false }), stopped.promise]);
      }
    }
    return undefined;
  }

  function connected(): NatsConnection {
    if (connection === undefined) throw new Error('the bus has not been started');
    return connection;
  }

  function maxPayload(): number {
    return connection?.info?.max_payload ?? 1024 * 1024;
  }

  return {
    inboxPrefix: `${config.inboxPrefix ?? '_INBOX'}.${randomUUID().replaceAll('-', '')}`,
    maxPayload,
    isConnected: () => isUp,
    onReconnect(listener) {
      reconnectListeners.add(listener);
      return {
        isOpen: () => reconnectListeners.has(listener),
        drain: async () => void reconnectListeners.delete(listener),
      };
    },

    publish(subject, message = {}) {
      const { body, headers } = encodeMessage(message, maxPayload());
      const options = {
        ...(headers === undefined ? {} : { headers }),
        ...(message.replyTo === undefined ? {} : { reply: message.replyTo }),
      };
      const present = connected();
      // One that is about to end sends it at once; one that has ended refuses it, and whoever publishes learns of it.
      if (present.isClosed() || present.isDraining()) return present.publish(subject, body, options);
      outbox.add({ subject, body, options });
    },

    subscribe(subject, onMessage, { queue } = {}) {
      outbox.send();
      const subscription = connected().subscribe(subject, {
        ...(queue === undefined ? {} : { queue }),
        callback: (error, message) => {
          if (error !== null) return logger.error({ err: error, subject }, 'subscription failed');
          // An exception that left this callback would turn the connection into one that looks open and does nothing.
          try {
            onMessage(readMessage(message));
          } catch (fault) {
            logger.error({ err: fault, subject: message.subject }, 'message handler failed');
          }
        },
      });
      return {
        isOpen: () => !subscription.isClosed(),
        async drain() {
          if (subscription.isClosed()) return;
          outbox.send();
          // Without a server there is nothing to hand over, and a drain would wait for its return.
          if (isUp) await unlessDisconnected(subscription.drain());
          else subscription.unsubscribe();
        },
      };
    },

    async request(subject, { timeoutMs, ...message }) {
      if (!isUp) throw new ProbeTaskError('UNAVAILABLE', 'the bus is away');
      const { body, headers } = encodeMessage(message, maxPayload());
      outbox.send();
      try {
        return readMessage(
          await connected().request(subject, body, {
            timeout: timeoutMs,
            ...(headers === undefined ? {} : { headers }),
          }),
        );
      } catch (error) {
        throw explainFailure(error, subject, timeoutMs);
      }
    },

    flush() {
      outbox.send();
      return unlessDisconnected(connected().flush());
    },

    async start() {
      const opened = await open(await connectionOptions(config, name, nextPauseMs));
      if (opened === undefined) return;
      if (stopping !== undefined) return opened.close();
      if (wantsTls(config) && !offersTls(opened)) {
        await opened.close();
        throw new Error('NATS_URL or NATS_CA ask for TLS, and the server has none');
      }
      connection = opened;
      isUp = true;
      attempts = 0;
      logger.info({ server: opened.getServer() }, 'connected to the bus');
      void watchStatus(opened);
    },
    stop() {
      stopped.resolve();
      outbox.send();
      // Without a server a drain would wait for its return.
      stopping ??= isUp ? connected().drain() : (connection?.close() ?? Promise.resolve());
      return stopping;
    },
  };
}

/** The package takes no notice of the scheme, and goes on in plain text where the server has no TLS. */
function wantsTls({ servers, caFile }: BusConfig): boolean {
  return caFile !== undefined || servers.some((server) => server.startsWith('tls:'));
}

function offersTls({ info }: NatsConnection): boolean {
  return info?.tls_required === true || info?.tls_available === true;
}

async function connectionOptions(
  config: BusConfig,
  name: string,
  nextPauseMs: () => number,
): Promise<ConnectionOptions> {
  const { servers, user, password = '', token, caFile, credsFile, inboxPrefix } = config;
  return {
    name,
    servers,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    pingInterval: 15_000,
    maxPingOut: 2,
    // A stack captured for every request costs a third of the throughput.
    noAsyncTraces: true,
    reconnectDelayHandler: nextPauseMs,
    ...(inboxPrefix === undefined ? {} : { inboxPrefix }),
    ...(user === undefined ? {} : { user, pass: password }),
    ...(token === undefined ? {} : { token }),
    ...(caFile === undefined ? {} : { tls: { caFile } }),
    ...(credsFile === undefined ? {} : { authenticator: credsAuthenticator(await readFile(credsFile)) }),
  };
}

/** Tries every server once; each gets an equal share of the time, because the limit of the package is one for each. */
async function connectOnce(options: ConnectionOptions, timeoutMs: number): Promise<NatsConnection> {
  const servers = [options.servers ?? []].flat();
  try {
    return await connect({ ...options, timeout: timeoutMs / Math.max(1, servers.length) });
  } catch (error) {
    const isSilent = error instanceof NatsError && ['CONNECTION_REFUSED', 'TIMEOUT'].includes(error.code);
    const reason = isSilent ? 'no NATS server answers' : `the NATS server refuses: ${describeError(error)}`;
    throw new ProbeTaskError('UNAVAILABLE', reason);
  }
}

/** A connection that goes away meanwhile is no fault: what was subscribed is subscribed again when it is back. */
async function unlessDisconnected(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof NatsError) || !['DISCONNECT', 'CONNECTION_CLOSED'].includes(error.code))
      throw error;
  }
}

function encodeMessage(
  { body = empty, headers }: OutgoingMessage,
  limit: number,
): { body: Uint8Array; headers: MsgHdrs | undefined } {
  const entries = Object.entries(headers ?? {});
  // As the protocol counts them: the version line, `name: value` lines, an empty line.
  let size = body.length + (entries.length === 0 ? 0 : 'NATS/1.0\r\n\r\n'.length);
  for (const [name, value] of entries) size += Buffer.byteLength(name) + Buffer.byteLength(value) + 4;
  if (size > limit) {
    throw new ProbeTaskError('PAYLOAD_TOO_LARGE', `the message has ${size} octets, the bus takes ${limit}`, {
      size,
      limit,
    });
  }
  if (entries.length === 0) return { body, headers: undefined };
  const encoded = natsHeaders();
  for (const [name, value] of entries) encoded.set(name, value);
  return { body, headers: encoded };
}

function readMessage(message: Msg): BusMessage {
  return {
    subject: message.subject,
    body: message.data,
    replyTo: message.reply === '' ? undefined : message.reply,
    header: (name) => {
      const value = message.headers?.get(name);
      return value === undefined || value === '' ? undefined : value;
    },
    isNoResponders: message.data.length === 0 && message.headers?.code === 503,
  };
}

function explainFailure(error: unknown, subject: string, timeoutMs: number): unknown {
  if (!(error instanceof NatsError)) return error;
  if (error.code === '503') return new ProbeTaskError('UNAVAILABLE', `nobody answers ${subject}`);
  if (error.code === 'TIMEOUT')
    return new ProbeTaskError('TIMEOUT', `no answer from ${subject} within ${timeoutMs} ms`);
  return new ProbeTaskError('UNAVAILABLE', `the bus failed: ${error.message}`);
}
