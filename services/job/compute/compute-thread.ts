// What runs in a worker thread: requests are checked there, and paths are computed.
import { move } from 'piscina';
import { z } from 'zod';
import { decodeRequest } from '../../../contracts/decode.ts';
import { type ErrorCode, faultsOf, invalidRequest, ProbeTaskError } from '../../../contracts/errors.ts';
import { dnsJobRequestSchema, type JobType } from '../../../contracts/job.ts';
import { type SubmittedAs, submissionSchema } from '../../../contracts/job-api.ts';
import type { PathReply } from '../../../contracts/path-reply.ts';
import { type PathJobType, type PathRequest, pathRequestSchemas } from '../../../contracts/path-request.ts';
import { maxResultOctets } from '../job-outcome.ts';
import { computePaths, findPathRequestFaults } from '../paths/compute.ts';
import { refuseTooManyRows } from '../probe/probe-parts.ts';
import { encodeReply } from './encode-reply.ts';
import { refuseManyItems } from './refuse-many-items.ts';

/** What `compute` gives to the thread that asked. */
export type ComputeReply = Uint8Array<ArrayBuffer> | { info: string };

/** Plain data, so that it can be sent from thread to thread. */
export type CheckReply =
  | { ok: true; type: JobType; idempotencyKey: string | undefined; request?: Uint8Array<ArrayBuffer> }
  | { ok: false; code: ErrorCode; message: string; details: Record<string, unknown> | undefined };

const resultTooLarge = `the result is larger than ${maxResultOctets / 1024 / 1024} MiB`;

const submission = { takesNothing: false, request: submissionSchema.loose() };
const typedSubmission = { takesNothing: false, request: submissionSchema.omit({ type: true }).loose() };
const anyObject = { takesNothing: false, request: z.looseObject({}) };
const schemas: { [Type in PathJobType]: z.ZodType<PathRequest<Type>> } = pathRequestSchemas;

/** Decodes a body and tells whether it can be computed: schema first, then what it means. */
export function check({ submittedAs, octets }: { submittedAs: SubmittedAs; octets: Uint8Array }): CheckReply {
  try {
    const { type, idempotencyKey, request } = readHead(submittedAs, octets);
    refuseManyItems(request);
    if (type === 'dns_result') return { ok: true, type, idempotencyKey, request: cleanProbeRequest(request) };
    parsePathRequest(type, request);
    return { ok: true, type, idempotencyKey };
  } catch (error) {
    if (!(error instanceof ProbeTaskError)) throw error;
    return { ok: false, code: error.code, message: error.message, details: error.details };
  }
}

/** Computes what was submitted: the JSON of the reply, handed over, not copied; or why there is none. */
export function compute({ type, octets }: { type: PathJobType; octets: Uint8Array }): unknown {
  try {
    const reply = encodeReply(computeReply(type, octets), maxResultOctets);
    return reply === undefined ? { info: resultTooLarge } : move(reply);
  } catch (error) {
    // Taken by another version of the service.
    if (error instanceof ProbeTaskError) return { info: `${error.code}: ${error.message}` };
    throw error;
  }
}

function computeReply<Type extends PathJobType>(type: Type, octets: Uint8Array): PathReply {
  const request = parse(schemas[type], decodeRequest(anyObject, octets));
  return computePaths(type, request, { now: () => performance.now() });
}

function readHead(
  submittedAs: SubmittedAs,
  octets: Uint8Array,
): { type: JobType; idempotencyKey: string | undefined; request: object } {
  if (submittedAs === 'submit') {
    const request = decodeRequest(submission, octets);
    return { type: request.type, idempotencyKey: request.idempotency_key ?? undefined, request };
  }
  const request = decodeRequest(typedSubmission, octets);
  const idempotencyKey = request.idempotency_key ?? undefined;
  const type = submittedAs === 'bod_reoptimise' ? typeOfReoptimisation(request) : submittedAs;
  const { type: said = type } = request;
  if (said !== type) throw invalidRequest([{ path: 'type', reason: `is ${type} on this path` }]);
  return { type, idempotencyKey, request };
}

function typeOfReoptimisation(request: object): PathJobType {
  return Object.hasOwn(request, 'congested_link') ? 'bod_congest_reopt' : 'bod_reopt';
}

/** What it asks for and nothing besides: whoever probes reads it where everything else waits. */
function cleanProbeRequest(value: unknown): Uint8Array<ArrayBuffer> {
  const request = parse(dnsJobRequestSchema, value);
  const { target, probe_data, regions } = request;
  refuseTooManyRows({ targets: target.length, servers: probe_data.dns_servers.length });
  const places = regions.map(({ country, province, city, carrier }) => [country, province, city, carrier]);
  return new TextEncoder().encode(JSON.stringify({ ...request, regions: places }));
}

function parsePathRequest<Type extends PathJobType>(type: Type, value: unknown): PathRequest<Type> {
  const request = parse(schemas[type], value);
  const faults = findPathRequestFaults(type, request);
  if (faults.length > 0) throw invalidRequest(faults);
  return request;
}

function parse<Request>(schema: z.ZodType<Request>, value: unknown): Request {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidRequest(faultsOf(parsed.error), parsed.error.issues.length);
}
