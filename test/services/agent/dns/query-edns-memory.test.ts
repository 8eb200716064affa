// How long a server is asked without EDNS.
import { describe, expect, test } from 'vitest';
import { createEdnsMemory } from '../../../../services/agent/dns/query-edns-memory.ts';

describe('createEdnsMemory', () => {
  test('remembers a server for ten minutes', () => {
    let time = 1_000;
    const memory = createEdnsMemory(() => time);
    expect(memory.isPlain('a')).toBe(false);
    memory.rememberPlain('a');
    time += 600_000 - 1;
    expect([memory.isPlain('a'), memory.isPlain('b')]).toEqual([true, false]);
    time += 1;
    expect(memory.isPlain('a')).toBe(false);
  });

  test('does not prolong the time of a server it knows', () => {
    let time = 0;
    const memory = createEdnsMemory(() => time);
    memory.rememberPlain('a');
    time = 500_000;
    memory.rememberPlain('a');
    time = 600_000;
    expect(memory.isPlain('a')).toBe(false);
  });

  test('forgets the oldest of more than 10,000 servers', () => {
    const memory = createEdnsMemory(() => 0);
    for (let index = 0; index <= 10_000; index++) memory.rememberPlain(`s${index}`);
    expect([memory.isPlain('s0'), memory.isPlain('s1'), memory.isPlain('s10000')]).toEqual([
      false,
      true,
      true,
    ]);
  });
});
