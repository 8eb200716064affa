// What a program said last about its end: plain text, or the JSON lines of a service's log.
import { z } from 'zod';

const logLineSchema = z.object({
  level: z.number(),
  msg: z.string().default(''),
  err: z.object({ message: z.string() }).optional(),
  reason: z.string().optional(),
});

// pino: 40 is warn, 50 is error, 60 is fatal.
const warnLevel = 40;
const errorLevel = 50;
const maxFaults = 5;

/** One line: the last fault (several lines of plain text count as one); empty when nothing is one. */
export function findLastWords(output: string): string {
  const readable = readLines(output);
  const lastFault = readable.findLastIndex((line) => line.isFault);
  if (lastFault < 0) return '';
  const beforeFaults = readable.findLastIndex((line, index) => index < lastFault && line.kind !== 'text');
  const first = readable[lastFault]?.kind === 'text' ? beforeFaults + 1 : lastFault;
  const words = readable.slice(first, lastFault + 1).map((line) => line.text);
  return words.slice(-maxFaults).join('; ');
}

/** One line: what a service said last that it waits for, and why; empty when it said nothing of the kind. */
export function findWaitingReason(output: string): string {
  return readLines(output).findLast((line) => line.isWaiting)?.text ?? '';
}

type ReadableLine = { text: string; kind: 'text' | 'event' | 'trace'; isFault: boolean; isWaiting: boolean };

function readLines(output: string): ReadableLine[] {
  return output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(readLine);
}

function readLine(line: string): ReadableLine {
  const parsed = logLineSchema.safeParse(parseJson(line));
  if (!parsed.success) {
    const isTrace = isTraceLine(line);
    return { text: line.trim(), kind: isTrace ? 'trace' : 'text', isFault: !isTrace, isWaiting: false };
  }
  const { level, msg, err, reason } = parsed.data;
  const cause = err?.message ?? reason;
  const text = cause === undefined ? msg : `${msg}: ${cause}`;
  return {
    text: text.replaceAll(/\s*\n\s*/g, ' '),
    kind: 'event',
    isFault: level >= errorLevel,
    isWaiting: level >= warnLevel && reason !== undefined,
  };
}

/** Node.js ends an uncaught exception with stack frames and its own version; the message stands above them. */
function isTraceLine(line: string): boolean {
  return /^\s|^Node\.js v|^[{}\]]/.test(line);
}

function parseJson(line: string): unknown {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
