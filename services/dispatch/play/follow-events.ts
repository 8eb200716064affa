// Follows the event file of a play while it grows, and hands on what it says.
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../../../infra/logger.ts';
import { type LineReading, readEventLine } from './event-lines.ts';
import type { PlayEvent } from './player.ts';

export type EventSource = {
  file: string;
  nodes: ReadonlySet<string>;
  secretForms: readonly string[];
  /** Settles when nothing more is written. */
  ended: Promise<unknown>;
};

export type EventSink = {
  onStart(): void;
  onEvents(events: PlayEvent[]): Promise<void>;
  /** Stops the play; events that are not taken then are left after some seconds. */
  signal: AbortSignal;
  logger: Logger;
};

const lookEveryMs = 200;
const chunkOctets = 256 * 1024;
// The writer keeps far below it (OutputLimits).
const maxLineOctets = 1024 * 1024;
const defaultRetryMs = 500;
const retriesAfterStop = 10;
const newline = 0x0a;

/** Resolves when all events were handed on. `retryMs`: from an offer that was not taken to the next. */
export async function followEvents(
  source: EventSource,
  sink: EventSink,
  { retryMs = defaultRetryMs }: { retryMs?: number } = {},
): Promise<void> {
  const { file, ended } = source;
  const handle = await open(file, 'r');
  const end = new AbortController();
  void ended.finally(() => end.abort()).catch(() => undefined);
  let garbage = 0;
  const deliver = createDelivery(sink, retryMs);
  try {
    const reader = createLineReader(handle);
    for (;;) {
      // Asked before the file is read: what was written before the end is read, then, too.
      const isLast = end.signal.aborted;
      const { lines, isFull } = await reader.read();
      const readings = lines.map((line) => readEventLine(line, source));
      garbage += readings.filter(({ kind }) => kind === 'garbage').length;
      if (readings.some(({ kind }) => kind === 'start')) sink.onStart();
      const events = readings.flatMap(takeEvent);
      if (events.length > 0) await deliver(events);
      if (isFull) continue;
      if (isLast) break;
      await pauseUnless(end.signal, lookEveryMs);
    }
    if (reader.hasRest()) garbage += 1;
  } finally {
    await handle.close();
  }
  if (garbage > 0)
    sink.logger.warn({ lines: garbage }, 'a play wrote lines that are not events of its nodes');
}

function takeEvent(reading: LineReading): PlayEvent[] {
  return reading.kind === 'event' ? [reading.event] : [];
}

function createLineReader(handle: FileHandle): {
  /** `isFull`: there may be more already. */
  read(): Promise<{ lines: string[]; isFull: boolean }>;
  hasRest(): boolean;
} {
  let offset = 0;
  let rest = Buffer.alloc(0);
  return {
    async read() {
      const chunk = Buffer.alloc(chunkOctets);
      const { bytesRead } = await handle.read(chunk, 0, chunkOctets, offset);
      offset += bytesRead;
      const pending = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      const end = pending.lastIndexOf(newline) + 1;
      rest = pending.subarray(end);
      // Not one of ours; what follows it up to the next line's end is no event either.
      if (rest.length > maxLineOctets) rest = Buffer.from('…');
      const text = pending.toString('utf8', 0, end);
      return { lines: text.split('\n').slice(0, -1), isFull: bytesRead === chunkOctets };
    },
    hasRest: () => rest.length > 0,
  };
}

/** Offers the same batch again until it is taken. */
function createDelivery(
  { onEvents, signal, logger }: EventSink,
  retryMs: number,
): (events: PlayEvent[]) => Promise<void> {
  let retriesLeft = retriesAfterStop;
  return async (events) => {
    while (retriesLeft > 0) {
      try {
        return await onEvents(events);
      } catch (error) {
        logger.warn({ err: error, events: events.length }, 'events of a play were not taken');
        if (signal.aborted) retriesLeft -= 1;
        await pause(retryMs);
      }
    }
    logger.error({ events: events.length }, 'events of a stopped play are lost: they were not taken');
  };
}

/** By a signal: a promise keeps all who ever waited for it, five a second for as long as the play takes. */
async function pauseUnless(signal: AbortSignal, limitMs: number): Promise<void> {
  await pause(limitMs, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
