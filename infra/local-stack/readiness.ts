// Asks a service for its readiness, and says what is in its way.
import { z } from 'zod';

/** `silent`: no answer that can be read. */
export type Readiness =
  | { kind: 'ready' }
  | { kind: 'silent' }
  | { kind: 'not ready'; failedChecks: string[] };

const requestTimeoutMs = 2_000;
const bodySchema = z.object({ checks: z.record(z.string(), z.boolean()) });

/** Never rejects: a service that is starting refuses, or stays silent for two seconds. */
export async function askReadiness(origin: string): Promise<Readiness> {
  try {
    const response = await fetch(`${origin}/readyz`, { signal: AbortSignal.timeout(requestTimeoutMs) });
    if (response.status === 200) {
      await response.body?.cancel();
      return { kind: 'ready' };
    }
    const { checks } = bodySchema.parse(await response.json());
    const failed = Object.entries(checks).filter(([, holds]) => !holds);
    return { kind: 'not ready', failedChecks: failed.map(([name]) => name) };
  } catch {
    // Whatever the reason, it is not ready yet; the caller bounds the wait and has the service's own log.
    return { kind: 'silent' };
  }
}
