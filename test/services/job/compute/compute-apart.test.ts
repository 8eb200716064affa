// A computation in a process of its own, and what such a process can come to.
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { createApartComputing } from '../../../../services/job/compute/compute-apart.ts';
import { smallRequest } from '../../../helpers/job-requests.ts';

const logger = pino({ level: 'silent' });
const octets = Buffer.from(JSON.stringify(smallRequest));
const never = new AbortController().signal;
const unrulyMain = fileURLToPath(new URL('unruly-main.ts', import.meta.url));

describe('a computation apart', () => {
  test('has the outcomes of any other', async () => {
    const compute = createApartComputing({ memoryMb: 64, logger });
    const outcome = await compute('bod_pasta', octets, { signal: never });
    const reply: unknown = outcome.ok && JSON.parse(outcome.result.toString());
    expect(reply).toMatchObject({ info: {}, data: [{ status: true }, { status: true }] });
    expect(await compute('bod_reopt', octets, { signal: never })).toMatchObject({
      ok: false,
      info: expect.stringContaining('INVALID_REQUEST'),
    });
  });

  test('fails when its process dies, which the next one does not notice, and ends with the signal', async () => {
    const compute = createApartComputing({ memoryMb: 64, logger, main: unrulyMain });
    const pid = async () => compute('bod_pasta', Buffer.from('pid'), { signal: never });
    const first = await pid();
    expect(await pid()).toEqual(first);
    expect(await compute('bod_pasta', Buffer.from('abort'), { signal: never })).toEqual({
      ok: false,
      info: 'the computation ended its process (SIGABRT)',
    });
    expect(await pid()).not.toEqual(first);
    const cut = new AbortController();
    const pending = compute('bod_pasta', Buffer.from('nothing'), { signal: cut.signal });
    cut.abort();
    expect(await pending).toMatchObject({ ok: false });
    expect(await compute('bod_pasta', octets, { signal: cut.signal })).toMatchObject({ ok: false });
  });
});
