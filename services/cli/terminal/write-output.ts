// Writes to standard output and standard error without falling over readers that go away.
import { systemErrorCode } from '../../../infra/error-text.ts';

/**
 * Writes texts to the stream. Each write resolves when the text has been handed over or the reader is gone (`| head`),
 * and rejects when it cannot be written.
 */
export function createWriter(stream: NodeJS.WriteStream): (text: string) => Promise<void> {
  // Every write learns of its error by itself; the event would end the process.
  stream.on('error', () => undefined);
  return async (text) => {
    if (text === '') return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    stream.write(text, (error) => {
      if (error && systemErrorCode(error) !== 'EPIPE') reject(error);
      else resolve();
    });
    await promise;
  };
}
