// Calls of the dispatch channel over HTTP.
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { DispatchTaskState } from '../../../contracts/dispatch.ts';
import { dispatchCalls, dispatchErrorSchema, dispatchHeaders } from '../../../contracts/dispatch-api.ts';
import { type ErrorCode, ProbeTaskError } from '../../../contracts/errors.ts';
import { describeError } from '../../../infra/error-text.ts';
import { FailedCall } from '../call-bus.ts';
import type { DispatchAddress } from './find-dispatch.ts';

export type RunRequest = {
  nodes: string[];
  user: string | null;
  name: string;
  content: string[];
  params: Record<string, unknown>;
  secrets: Record<string, unknown>;
  fork_num: number;
};

/** Every call throws `FailedCall`. */
export type DispatchCaller = {
  /** Stores a run and resolves with its id. */
  run(request: RunRequest): Promise<number>;
  check(id: number): Promise<DispatchTaskState>;
  /** Resolves when nothing of the run goes on any more. */
  cancel(id: number): Promise<void>;
};

/** A stop replies when the run is over, which takes its time. */
const timeoutMs = 40_000;
const maxReplyOctets = 32 * 1024 * 1024;
const codes = new Map<number, ErrorCode>([
  [400, 'INVALID_REQUEST'],
  [401, 'UNAUTHORIZED'],
  [404, 'NOT_FOUND'],
  [405, 'METHOD_NOT_ALLOWED'],
  [413, 'PAYLOAD_TOO_LARGE'],
  [429, 'OVERLOADED'],
]);

export function createDispatchCaller({ url, apiKey }: DispatchAddress): DispatchCaller {
  const headers = {
    'content-type': 'application/json',
    [dispatchHeaders.globalId]: randomUUID(),
    [dispatchHeaders.sources[0]]: 'agents',
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  };

  async function call<Reply extends z.ZodType>(
    path: string,
    schema: Reply,
    request: unknown,
  ): Promise<z.output<Reply>> {
    const { status, body } = await post(`${url}${path}`, headers, JSON.stringify(request));
    const document = readJson(body);
    const parsed = schema.safeParse(document);
    if (status === 200 && parsed.success) return parsed.data;
    const failure = dispatchErrorSchema.safeParse(document);
    const code = codes.get(status) ?? 'INTERNAL';
    const message = failure.success
      ? failure.data.message
      : `${url}${path} answers ${status} and no reply of it`;
    throw new FailedCall(new ProbeTaskError(code, message), body);
  }

  const { run, check, stop } = dispatchCalls;
  return {
    run: async (request) => (await call(run.path, run.reply, request)).content.id,
    check: async (id) => (await call(check.path, check.reply, { id })).content,
    async cancel(id) {
      await call(stop.path, stop.reply, { id });
    },
  };
}

async function post(
  url: string,
  headers: Record<string, string>,
  body: string,
): Promise<{ status: number; body: Uint8Array }> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    // A key goes to nobody else.
    const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' });
    return { status: response.status, body: await readReply(response) };
  } catch (error) {
    const cause = error instanceof TypeError && error.cause !== undefined ? error.cause : error;
    const how = describeError(cause);
    const message = `${url}: ${how} (npm start runs a stack here, DISPATCH_URL names another)`;
    throw new FailedCall(new ProbeTaskError('UNAVAILABLE', message));
  }
}

/** Undefined for what is no JSON. */
function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function readReply(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxReplyOctets) throw new Error(`a reply of more than ${maxReplyOctets} octets`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
