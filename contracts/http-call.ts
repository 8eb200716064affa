// One call of an HTTP service, as its document shows it.
import type { z } from 'zod';

export type HttpMethod = 'GET' | 'POST' | 'PUT';

/** A POST with a JSON body, unless it says otherwise. Without a body, as in a GET, its request is in the query. */
export type HttpCall = {
  path: string;
  method?: HttpMethod;
  /** Further paths that are the same. */
  aliases?: readonly string[];
  summary: string;
  /** What it reads of the header of a request, besides what every call does. */
  headers?: readonly HttpCallHeader[];
  /** Where it is `octets`, the handler gets the body as it came, and decodes it elsewhere. */
  body?: 'json' | 'octets';
  /** Octets that its body may have, where they are fewer than the server takes. */
  bodyLimit?: number;
  /** Where it is `octets`, the handler may reply with JSON text as it is kept. */
  replyBody?: 'json' | 'octets';
  request: z.ZodType;
  reply: z.ZodType;
};

export type HttpCallHeader = { name: string; description: string; isRequired: boolean };
