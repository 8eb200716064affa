import { expect, test } from 'vitest';
import { StackError } from '../../../infra/local-stack/stack-error.ts';
import { isInstalled, preparePeer } from './missing-peer.ts';

function createContext() {
  const lines: string[] = [];
  const kept: unknown[] = [];
  return {
    lines,
    kept,
    report: (line: string) => void lines.push(line),
    keep<Item>(item: Item): Item {
      kept.push(item);
      return item;
    },
  };
}

test('a peer that is there is kept until the end', async () => {
  const context = createContext();
  const peer = { stop: async () => undefined };
  expect(await preparePeer('zdns', context, async () => peer)).toBe(peer);
  expect(context).toMatchObject({ kept: [peer], lines: [] });
});

test('a program that is missing is told', async () => {
  const context = createContext();
  const missing = new StackError('PROGRAM_MISSING', 'zdns is missing: build it');
  const peer = preparePeer('zdns', context, async () => {
    throw missing;
  });
  expect(await peer).toBeUndefined();
  expect(context).toMatchObject({ kept: [], lines: ['without zdns: zdns is missing: build it'] });
});

test.each([new Error('no room'), new StackError('PROGRAM_FAILED', 'it fell')])(
  'another fault of a peer is no absence: %s',
  async (fault) => {
    const context = createContext();
    const peer = preparePeer('zdns', context, async () => {
      throw fault;
    });
    await expect(peer).rejects.toBe(fault);
    expect(context.lines).toEqual([]);
  },
);

test('a package is installed when it can be resolved', () => {
  expect(isInstalled('pg')).toBe(true);
  expect(isInstalled('no-such-queue')).toBe(false);
});
