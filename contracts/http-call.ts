// One call of an HTTP service, as its document shows it.
import type { z } from 'zod';

/** Always a POST with a JSON body. */
export type HttpCall = {
  path: string;
  summary: string;
  /** What it reads of the header of a request, besides what every call does. */
  headers?: readonly HttpCallHeader[];
  request: z.ZodType;
  reply: z.ZodType;
};

export type HttpCallHeader = { name: string; description: string; isRequired: boolean };
