// Real threads, and what they can come to: with what the service runs in them, and with one that does its worst.
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { createComputePool } from '../../../../services/job/compute/compute-pool.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { congestedRequest, smallPolicy, smallRequest, twoNodes } from '../../../helpers/job-requests.ts';

const unruly = fileURLToPath(new URL('unruly-thread.ts', import.meta.url));
const logged: { msg: string; err?: { message: string } }[] = [];
const logger = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
const never = new AbortController().signal;
beforeEach(() => {
  logged.length = 0;
});

async function startPool(options: { threads?: number; checkThreads?: 0 | 1; thread?: string } = {}) {
  const pool = keepUntilTestEnd(createComputePool({ threads: 1, memoryMb: 64, logger, ...options }));
  await pool.start();
  return pool;
}
const octetsOf = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe('a request that is checked', () => {
  test('is of the type that its path or its body says', async () => {
    const pool = await startPool();
    const check = async (as: Parameters<typeof pool.check>[0], body: unknown) =>
      pool.check(as, octetsOf(body));
    const keyed = { ...smallRequest, idempotency_key: 'one' };
    expect(await check('nonbod_pasta', smallRequest)).toEqual({ ok: true, type: 'nonbod_pasta' });
    expect(await check('bod_pasta', keyed)).toEqual({ ok: true, type: 'bod_pasta', idempotencyKey: 'one' });
    expect(await check('submit', { ...keyed, type: 'nonbod_pasta' })).toEqual({
      ok: true,
      type: 'nonbod_pasta',
      idempotencyKey: 'one',
    });
    expect(await check('bod_reoptimise', { ...twoNodes, sr_policy: [smallPolicy] })).toMatchObject({
      type: 'bod_reopt',
    });
    expect(await check('bod_reoptimise', congestedRequest)).toMatchObject({ type: 'bod_congest_reopt' });
    // Here, it says what the path says.
    expect(await check('bod_pasta', { ...smallRequest, type: 'bod_pasta' })).toMatchObject({ ok: true });
  });

  test('of a probe has nothing in it that nobody asked for', async () => {
    const pool = await startPool();
    const target = [{ type: 'domain', rtype: 'A', data: 'x.example' }];
    const asked = { probe_data: { dns_servers: ['192.0.2.1'] }, regions: [[86, 440000]], resp_timeout: 5 };
    const junk = { more: { and: { more: {} } } };
    const given = { type: 'dns_result', target: target.map((each) => ({ ...each, ...junk })), ...asked };
    const verdict = await pool.check('submit', octetsOf({ ...given, ...junk }));
    if (!verdict.ok || verdict.request === undefined) throw new Error('there is nothing to be stored');
    const kept = Buffer.from(verdict.request).toString();
    expect(JSON.parse(kept)).toEqual({
      ...{ ...asked, target, group_id: null },
      regions: [['86', '440000', '*', '*']],
    });
    // And is the same request, when it is read again.
    expect(await pool.check('dns_result', verdict.request)).toEqual(verdict);
  });

  test('is refused with every fault, by its schema or by what it means', async () => {
    const pool = await startPool();
    const faultsOf = async (as: Parameters<typeof pool.check>[0], body: unknown) => {
      const verdict = await pool.check(as, octetsOf(body));
      return verdict.ok ? verdict : { code: verdict.error.code, details: verdict.error.details };
    };
    expect(await faultsOf('bod_pasta', '{')).toMatchObject({ code: 'INVALID_JSON' });
    expect(await faultsOf('bod_pasta', { ...smallRequest, type: 'nonbod_pasta' })).toMatchObject({
      details: { faults: [{ path: 'type', reason: 'is bod_pasta on this path' }] },
    });
    expect(await faultsOf('submit', { ...smallRequest, type: 'dance' })).toMatchObject({
      code: 'INVALID_REQUEST',
      details: { faults: [{ path: 'type' }] },
    });
    expect(await faultsOf('bod_pasta', { nodes: [], links: [{}] })).toMatchObject({
      details: { total: 5, faults: expect.arrayContaining([expect.objectContaining({ path: 'nodes' })]) },
    });
    const unknown = { ...smallRequest, sr_policy: { ...smallPolicy, headend: 'P9', tailend: 'P8' } };
    expect(await faultsOf('bod_pasta', unknown)).toMatchObject({
      code: 'INVALID_REQUEST',
      details: { faults: [{ path: 'sr_policy.headend' }, { path: 'sr_policy.tailend' }] },
    });
    // Each would be a fault of its own.
    const zeros = {
      ...smallPolicy,
      path: [Array.from({ length: 100 }, () => Array.from({ length: 10_001 }, () => 0))],
    };
    expect(await faultsOf('bod_pasta', { ...smallRequest, sr_policy: zeros })).toMatchObject({
      details: { faults: [{ reason: 'expected at most 1000000 items in all lists together' }], total: 1 },
    });
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    const target = Array.from({ length: 1001 }, () => ({ type: 'domain', data: 'x.example' }));
    expect(await faultsOf('dns_result', { target, probe_data: { dns_servers: many(1000) } })).toMatchObject({
      code: 'PLAN_TOO_LARGE',
      details: { cells: 1_001_000, limit: 1_000_000 },
    });
  });
});

describe('a computation', () => {
  test('gives its reply as JSON, and leaves the octets of the request as they are', async () => {
    const pool = await startPool({ checkThreads: 0 });
    const octets = octetsOf(smallRequest);
    const outcome = await pool.compute('bod_pasta', octets, { signal: never });
    expect(outcome).toMatchObject({ ok: true });
    const reply: unknown = outcome.ok && JSON.parse(outcome.result.toString());
    expect(reply).toMatchObject({
      info: {},
      data: [
        { algo_type: 0, status: true },
        { algo_type: 1, status: true },
      ],
    });
    expect(JSON.parse(octets.toString())).toEqual(smallRequest);
    // Of another version of the service.
    expect(await pool.compute('bod_reopt', octets, { signal: never })).toEqual({
      ok: false,
      info: expect.stringContaining('INVALID_REQUEST: sr_policy'),
    });
  });

  test('fails alone when its thread runs out of memory, exits, throws or is cut', async () => {
    const pool = await startPool({ thread: unruly, threads: 2, checkThreads: 0 });
    const endless = new AbortController();
    const cut = pool.compute('bod_pasta', octetsOf('endless'), { signal: endless.signal });
    const infoOf = async (word: string) => pool.compute('bod_pasta', octetsOf(word), { signal: never });
    expect(await infoOf('memory')).toEqual({ ok: false, info: 'the computation ran out of memory (64 MB)' });
    expect(await infoOf('fine')).toEqual({ ok: true, result: Buffer.from('fine') });
    expect(await infoOf('exit')).toEqual({
      ok: false,
      info: 'failed, by a fault of the service: worker exited with code: 3',
    });
    expect(await infoOf('throw')).toEqual({
      ok: false,
      info: 'failed, by a fault of the service: a fault of the engine',
    });
    expect(logged).toMatchObject([
      { msg: 'a computation failed', err: { message: 'worker exited with code: 3' } },
      { msg: 'a computation failed', err: { message: 'a fault of the engine' } },
    ]);
    endless.abort();
    expect(await cut).toEqual({ ok: false, info: '' });
    expect(await Promise.all([infoOf('one'), infoOf('two')])).toMatchObject([{ ok: true }, { ok: true }]);
  });
});
