// Structured logs: one JSON line per event on standard output.
import { type Logger, pino, stdTimeFunctions } from 'pino';

export type { Logger };

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

export function createLogger(service: string, level: LogLevel): Logger {
  return pino({ name: service, level, timestamp: stdTimeFunctions.isoTime });
}
