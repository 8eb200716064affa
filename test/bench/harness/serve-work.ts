// The other end of `startWorker`: what a process that measures does with what it is told.
import { z } from 'zod';

const messageSchema = z.object({ input: z.unknown() });

/**
 * Does `work` for every input that the parent sends, and answers with what it resolves with (or its fault). When the
 * parent is gone, calls `onEnd` and ends the process.
 */
export function serveWork<Input>(
  schema: z.ZodType<Input>,
  work: (input: Input) => Promise<unknown>,
  onEnd: () => Promise<void> = async () => undefined,
): void {
  const read = async (message: unknown) => schema.parse(messageSchema.parse(message).input);
  process.on('message', (message) => {
    read(message)
      .then(work)
      .then(
        (output) => process.send?.({ kind: 'done', output }),
        (error: unknown) => process.send?.({ kind: 'failed', fault: describe(error) }),
      );
  });
  process.once('disconnect', () => {
    void onEnd().finally(() => process.exit());
  });
  process.send?.({ kind: 'ready' });
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
