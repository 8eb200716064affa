// What a program said last about its end: plain text, or the JSON lines of a service's log.
import { z } from 'zod';

const LogLine = z.object({
  level: z.number(),
  msg: z.string().default(''),
  err: z.object({ message: z.string() }).optional(),
});

// pino: 50 is error, 60 is fatal.
const errorLevel = 50;
const maxFaults = 5;

/** One line: the last fault (several lines of plain text count as one), else the last line of any kind. */
export function findLastWords(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const readable = lines.map(readLine);
  const lastFault = readable.findLastIndex((line) => line.isFault);
  if (lastFault < 0) return readable.at(-1)?.text ?? '';
  const beforeFaults = readable.findLastIndex((line, index) => index < lastFault && line.kind !== 'text');
  const first = readable[lastFault]?.kind === 'text' ? beforeFaults + 1 : lastFault;
  const words = readable.slice(first, lastFault + 1).map((line) => line.text);
  return words.slice(-maxFaults).join('; ');
}

type ReadableLine = { text: string; kind: 'text' | 'event' | 'trace'; isFault: boolean };

function readLine(line: string): ReadableLine {
  const parsed = LogLine.safeParse(parseJson(line));
  if (!parsed.success) {
    const isTrace = isTraceLine(line);
    return { text: line.trim(), kind: isTrace ? 'trace' : 'text', isFault: !isTrace };
  }
  const { level, msg, err } = parsed.data;
  const text = err === undefined ? msg : `${msg}: ${err.message}`;
  return { text: text.replaceAll(/\s*\n\s*/g, ' '), kind: 'event', isFault: level >= errorLevel };
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
