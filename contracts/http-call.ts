// One call of an HTTP service, as its document shows it.
import type { z } from 'zod';

/** Always a POST with a JSON body. */
export type HttpCall = { path: string; summary: string; request: z.ZodType; reply: z.ZodType };
