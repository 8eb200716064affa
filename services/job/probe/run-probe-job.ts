// A probe that is too long for one reply: cut into parts, each a call of the gateway, their rows put together again.
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { decodeRequest } from '../../../contracts/decode.ts';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import { dnsJobRequestSchema } from '../../../contracts/job.ts';
import { domainTargetSchema, type VerboseRow } from '../../../contracts/probe.ts';
import type { ProbeClient } from '../../../infra/bus/probe-client.ts';
import { type JobOutcome, maxResultOctets } from '../job-outcome.ts';
import {
  countQueries,
  halvePart,
  maxProbeRows,
  nextPart,
  type ProbePart,
  refuseTooManyRows,
} from './probe-parts.ts';

/**
 * Probes what the octets ask for; `result` is the JSON of the reply. `info`: the code and text that the gateway refused it
 * with; after the signal, what it waited for, if it did.
 */
export type ProbeJob = (octets: Uint8Array, signal: AbortSignal) => Promise<JobOutcome>;

/** Parts under way at once. */
const partsAtOnce = 2;
/** Queries of one agent in one part, until the gateway takes fewer. */
const firstPartSize = 500;
/** From a part that is refused to its next try: twice the last time, up to this. */
const maxRetryMs = 10_000;
const defaultFirstRetryMs = 250;
/** The same request may succeed a little later. */
const passingFaults = new Set(['OVERLOADED', 'UNAVAILABLE', 'TIMEOUT']);
const sizeFaults = new Set(['PLAN_TOO_LARGE', 'PAYLOAD_TOO_LARGE']);

// Its targets are parsed part by part: all at once they would hold up the process.
const headSchema = dnsJobRequestSchema.extend({ target: z.array(z.unknown()).min(1) });
const head = { takesNothing: false, request: headSchema };
const targetsSchema = z.array(domainTargetSchema);
type Head = z.infer<typeof headSchema>;

/** Rows in the order in which one reply would have them, as far as they came together: part by part, by their targets. */
export function createProbeJob({
  client,
  firstRetryMs = defaultFirstRetryMs,
}: {
  client: ProbeClient;
  firstRetryMs?: number;
}): ProbeJob {
  return async (octets, signal) => {
    const failing = new AbortController();
    const run = createPartRun(readHead(octets), {
      client,
      firstRetryMs,
      signal: AbortSignal.any([signal, failing.signal]),
    });
    try {
      const lines = Array.from({ length: partsAtOnce }, () => run.takeParts());
      // One that fails ends the others, and is what all of it fails with.
      await Promise.all(lines).catch(async (error: unknown) => {
        failing.abort();
        await Promise.allSettled(lines);
        throw error;
      });
      return { ok: true, result: run.result() };
    } catch (error) {
      if (signal.aborted) return { ok: false, info: run.heldUpBy() };
      if (error instanceof ProbeTaskError) return { ok: false, info: describe(error) };
      throw error;
    }
  };
}

function readHead(octets: Uint8Array): Head {
  return decodeRequest(head, octets);
}

function createPartRun(
  request: Head,
  { client, firstRetryMs, signal }: { client: ProbeClient; firstRetryMs: number; signal: AbortSignal },
) {
  const servers = request.probe_data.dns_servers;
  const counts = { targets: request.target.length, servers: servers.length };
  const rowsOfPart: Buffer[][] = [];
  let size = firstPartSize;
  let nextTarget = 0;
  let rowCount = 0;
  let octetCount = 0;
  let heldUpBy = '';

  /** The rows of a part as JSON, in pieces. */
  async function probePart(part: ProbePart): Promise<Buffer[]> {
    const rows = await askUntilTaken(part);
    if (rows !== undefined) return [keep(rows)];
    const [first, second] = halvePart(part) ?? [];
    if (first === undefined || second === undefined) throw new Error('a part is too large and cannot be cut');
    return [...(await probePart(first)), ...(await probePart(second))];
  }

  /** Undefined when the part is too large, and can be cut. */
  async function askUntilTaken(part: ProbePart): Promise<VerboseRow[] | undefined> {
    for (let waitMs = firstRetryMs; ; waitMs = Math.min(waitMs * 2, maxRetryMs)) {
      try {
        const rows = await ask(part);
        heldUpBy = '';
        return rows;
      } catch (error) {
        if (!(error instanceof ProbeTaskError)) throw error;
        if (sizeFaults.has(error.code) && halvePart(part) !== undefined) {
          size = Math.min(size, Math.max(1, Math.floor(countQueries(part) / 2)));
          return undefined;
        }
        if (!passingFaults.has(error.code)) throw error;
        heldUpBy = describe(error);
        await pause(waitMs, undefined, { signal });
      }
    }
  }

  async function ask({ targets, servers: asked }: ProbePart): Promise<VerboseRow[]> {
    const target = targetsSchema.parse(request.target.slice(targets.from, targets.to));
    const probe_data = { dns_servers: servers.slice(asked.from, asked.to) };
    const regions = request.regions.map(({ country, province, city, carrier }) => [
      country,
      province,
      city,
      carrier,
    ]);
    signal.throwIfAborted();
    const { results } = await orAborted(
      client.call('oneShootVerbose', { ...request, regions, target, probe_data }),
      signal,
    );
    return results;
  }

  function keep(rows: VerboseRow[]): Buffer {
    // Without the brackets of the list.
    const octets = Buffer.from(JSON.stringify(rows).slice(1, -1));
    rowCount += rows.length;
    octetCount += octets.length + 1;
    const limit = `at most ${maxProbeRows} rows and ${maxResultOctets / 1024 / 1024} MiB are kept`;
    if (rowCount <= maxProbeRows && octetCount <= maxResultOctets) return octets;
    throw new ProbeTaskError('PAYLOAD_TOO_LARGE', `the result is too large: ${limit}`);
  }

  refuseTooManyRows(counts);
  return {
    /** Takes part after part until none is left. */
    async takeParts(): Promise<void> {
      while (nextTarget < counts.targets) {
        signal.throwIfAborted();
        const part = nextPart(nextTarget, { ...counts, size });
        nextTarget = part.targets.to;
        const place = rowsOfPart.push([]) - 1;
        rowsOfPart[place] = await probePart(part);
      }
    },
    result(): Buffer {
      const pieces = rowsOfPart.flat().filter(({ length }) => length > 0);
      const comma = Buffer.from(',');
      const rows = pieces.flatMap((piece, index) => (index === 0 ? [piece] : [comma, piece]));
      return Buffer.concat([Buffer.from('{"info":{},"data":{"results":['), ...rows, Buffer.from(']}}')]);
    },
    /** What a call that is to be made again failed with. */
    heldUpBy: () => heldUpBy,
  };
}

/** A call cannot be taken back: what comes of it after the signal is left alone. */
async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function describe({ code, message }: ProbeTaskError): string {
  return `${code}: ${message}`;
}
