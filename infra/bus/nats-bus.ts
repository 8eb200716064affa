// The bus over NATS. The only module that imports the `nats` package, so that its successor can replace it here.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  NatsError,
  headers as natsHeaders,
} from 'nats';
import { ProbeTaskError } from '../../contracts/errors.ts';
import type { Component } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import type { Bus, BusMessage, OutgoingMessage } from './bus.ts';

export type BusConfig = {
  /** One URL or several, parted by commas. */
  url: string;
  credsFile?: string | undefined;
  user?: string | undefined;
  password?: string | undefined;
  caFile?: string | undefined;
  /** First part of every inbox; servers with permissions per role give each role its own. */
  inboxPrefix?: string | undefined;
};

const reconnectFloorMs = 100;
const reconnectCeilingMs = 5000;
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
  const reconnectListeners: (() => void)[] = [];
  let connection: NatsConnection | undefined;
  let isUp = false;
  let stopping: Promise<void> | undefined;

  async function watchStatus(watched: NatsConnection): Promise<void> {
    for await (const { type, data } of watched.status()) {
      if (type === 'disconnect' || type === 'reconnect') {
        isUp = type === 'reconnect';
        logger.warn({ server: data }, isUp ? 'bus is back' : 'bus is away');
        if (isUp) for (const listener of reconnectListeners) listener();
      } else if (type === 'error') logger.error({ fault: data }, 'bus refused an operation');
    }
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
    onReconnect: (listener) => void reconnectListeners.push(listener),

    publish(subject, message = {}) {
      const { body, headers } = encodeMessage(message, maxPayload());
      connected().publish(subject, body, {
        ...(headers === undefined ? {} : { headers }),
        ...(message.replyTo === undefined ? {} : { reply: message.replyTo }),
      });
    },

    subscribe(subject, onMessage, { queue } = {}) {
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
        async drain() {
          if (subscription.isClosed()) return;
          // Without a server there is nothing to hand over, and a drain would wait for its return.
          if (isUp) await unlessDisconnected(subscription.drain());
          else subscription.unsubscribe();
        },
      };
    },

    async request(subject, { timeoutMs, ...message }) {
      if (!isUp) throw new ProbeTaskError('UNAVAILABLE', 'the bus is away');
      const { body, headers } = encodeMessage(message, maxPayload());
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

    flush: () => unlessDisconnected(connected().flush()),

    async start() {
      const persistent = { ...(await connectionOptions(config)), name };
      const opened = await (connectTimeoutMs === undefined
        ? connect(persistent)
        : connectOnce(persistent, connectTimeoutMs));
      if (stopping !== undefined) return opened.close();
      if (wantsTls(config) && !offersTls(opened)) {
        await opened.close();
        throw new Error('NATS_URL or NATS_CA ask for TLS, and the server has none');
      }
      connection = opened;
      isUp = true;
      void watchStatus(opened);
    },
    stop() {
      // Without a server a drain would wait for its return.
      stopping ??= isUp ? connected().drain() : (connection?.close() ?? Promise.resolve());
      return stopping;
    },
  };
}

/** The package takes no notice of the scheme, and goes on in plain text where the server has no TLS. */
function wantsTls({ url, caFile }: BusConfig): boolean {
  return caFile !== undefined || url.split(',').some((server) => server.trim().startsWith('tls:'));
}

function offersTls({ info }: NatsConnection): boolean {
  return info?.tls_required === true || info?.tls_available === true;
}

async function connectionOptions(config: BusConfig): Promise<ConnectionOptions> {
  let attempt = 0;
  return {
    servers: config.url.split(',').map((url) => url.trim()),
    maxReconnectAttempts: -1,
    waitOnFirstConnect: true,
    ignoreAuthErrorAbort: true,
    pingInterval: 15_000,
    maxPingOut: 2,
    // A stack captured for every request costs a third of the throughput.
    noAsyncTraces: true,
    reconnectDelayHandler: () => {
      attempt += 1;
      const ceiling = Math.min(reconnectCeilingMs, reconnectFloorMs * 2 ** Math.min(attempt, 6));
      return reconnectFloorMs + Math.random() * (ceiling - reconnectFloorMs);
    },
    ...(config.inboxPrefix === undefined ? {} : { inboxPrefix: config.inboxPrefix }),
    ...(config.user === undefined ? {} : { user: config.user, pass: config.password ?? '' }),
    ...(config.caFile === undefined ? {} : { tls: { caFile: config.caFile } }),
    ...(config.credsFile === undefined
      ? {}
      : { authenticator: credsAuthenticator(await readFile(config.credsFile)) }),
  };
}

/** Every server gets an equal share of the time: the limit of the package is one for each of them. */
async function connectOnce(options: ConnectionOptions, timeoutMs: number): Promise<NatsConnection> {
  const servers = [options.servers ?? []].flat();
  try {
    return await connect({
      ...options,
      waitOnFirstConnect: false,
      timeout: timeoutMs / Math.max(1, servers.length),
    });
  } catch (error) {
    const code = error instanceof NatsError ? error.code : '';
    if (code === 'CONNECTION_REFUSED' || code === 'TIMEOUT')
      throw new ProbeTaskError('UNAVAILABLE', 'no NATS server answers');
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProbeTaskError('UNAVAILABLE', `the NATS server cannot be used: ${reason}`);
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
    return new ProbeTaskError('UNAVAILABLE', `no answer from ${subject} within ${timeoutMs} ms`);
  return new ProbeTaskError('UNAVAILABLE', `the bus failed: ${error.message}`);
}
