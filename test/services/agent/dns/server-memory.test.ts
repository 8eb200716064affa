// How long and of how many servers something is remembered.
import { describe, expect, test } from 'vitest';
import { createServerMemory } from '../../../../services/agent/dns/server-memory.ts';

describe('createServerMemory', () => {
  test('remembers a server for ten minutes', () => {
    let time = 1_000;
    const memory = createServerMemory(() => time);
    expect(memory.has('a')).toBe(false);
    memory.remember('a');
    time += 600_000 - 1;
    expect([memory.has('a'), memory.has('b')]).toEqual([true, false]);
    time += 1;
    expect(memory.has('a')).toBe(false);
  });

  test('does not prolong the time of a server it knows', () => {
    let time = 0;
    const memory = createServerMemory(() => time);
    memory.remember('a');
    time = 500_000;
    memory.remember('a');
    time = 600_000;
    expect(memory.has('a')).toBe(false);
  });

  test('forgets the oldest of more than 10,000 servers', () => {
    const memory = createServerMemory(() => 0);
    for (let index = 0; index <= 10_000; index++) memory.remember(`s${index}`);
    expect([memory.has('s0'), memory.has('s1'), memory.has('s10000')]).toEqual([false, true, true]);
  });
});
