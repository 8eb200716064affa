// A process for computations that does what the octets say: tells who it is, dies, or nothing at all.
import { z } from 'zod';

const orderSchema = z.object({ octets: z.instanceof(Uint8Array) });

process.on('message', (message) => {
  const { octets } = orderSchema.parse(message);
  const word = new TextDecoder().decode(octets);
  if (word === 'pid') process.send?.({ ok: false, info: String(process.pid) });
  if (word === 'abort') process.abort();
});
process.once('disconnect', () => process.exit(0));
