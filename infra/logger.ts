// Structured logs: one JSON line per event on standard output.
import { type Logger, pino, stdTimeFunctions } from 'pino';

export type { Logger };

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A logger that names the service in every line. */
export function createLogger(service: string, level: LogLevel): Logger {
  return pino({ name: service, level, timestamp: stdTimeFunctions.isoTime });
}
