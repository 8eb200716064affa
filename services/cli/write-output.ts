// Writes to standard output and standard error without falling over readers that go away.
import { systemErrorCode } from '../../infra/error-text.ts';

/** Resolves when the text has been handed over, or the reader is gone (`| head`); rejects when it cannot be written. */
export async function writeOutput(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (text === '') return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.on('error', (error) => (systemErrorCode(error) === 'EPIPE' ? resolve() : reject(error)));
  stream.write(text, (error) => {
    if (!error) resolve();
  });
  await promise;
}
