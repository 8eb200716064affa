// Steps that fail or not: which are taken, and what is thrown in the end.
import { expect, test } from 'vitest';
import { ProbeTaskError } from '../../contracts/errors.ts';
import { tryAll } from '../../infra/try-all.ts';

const stone = new Error('a stone');
const root = new Error('a root');
const away = () => new ProbeTaskError('UNAVAILABLE', 'the database is away');

/** Takes a step for each, which fails with it unless it is null. */
async function take(...faults: (Error | null)[]): Promise<{ taken: number; fault: unknown }> {
  let taken = 0;
  const steps = faults.map((fault) => async () => {
    taken += 1;
    if (fault !== null) throw fault;
  });
  const fault: unknown = await tryAll(steps).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { taken, fault };
}

test('takes all steps, one after the other', async () => {
  const order: string[] = [];
  const step = (name: string) => async () => {
    order.push(`${name} begins`);
    await Promise.resolve();
    order.push(`${name} ends`);
  };
  await tryAll([step('one'), step('other')]);
  expect(order).toEqual(['one begins', 'one ends', 'other begins', 'other ends']);
});

test('takes the steps after one that failed, and throws its fault', async () => {
  expect(await take(null, stone, null)).toEqual({ taken: 3, fault: stone });
});

test('throws several faults together', async () => {
  const { taken, fault } = await take(stone, null, away(), root);
  expect(taken).toBe(4);
  expect(fault).toBeInstanceOf(AggregateError);
  expect(fault).toMatchObject({ errors: [stone, { code: 'UNAVAILABLE' }, root] });
});

test('says that the database is away where nothing else is the matter', async () => {
  expect(await take(away(), away())).toMatchObject({ taken: 2, fault: { code: 'UNAVAILABLE' } });
});

test('takes no further step when it is told to end', async () => {
  const stopping = new AbortController();
  let taken = 0;
  const step = async () => {
    taken += 1;
    if (taken === 2) stopping.abort();
  };
  await tryAll([step, step, step], stopping.signal);
  expect(taken).toBe(2);
});
