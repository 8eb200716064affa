// Starting and stopping several components as one.
import { describe, expect, test } from 'vitest';
import { type Component, sequence } from '../../infra/lifecycle.ts';

function recorder() {
  const events: string[] = [];
  const component = (name: string, change: Partial<Component> = {}): Component => ({
    start: async () => void events.push(`start ${name}`),
    stop: async () => void events.push(`stop ${name}`),
    ...change,
  });
  return { events, component };
}

describe('sequence', () => {
  test('starts in order and stops in reverse, once', async () => {
    const { events, component } = recorder();
    const all = sequence([component('one'), component('two')]);
    await all.start();
    await Promise.all([all.stop(), all.stop()]);
    await all.stop();
    expect(events).toEqual(['start one', 'start two', 'stop two', 'stop one']);
  });

  test('stopped before or during the start starts nothing further', async () => {
    const { events, component } = recorder();
    const started = Promise.withResolvers<void>();
    const slow = component('slow', { start: () => started.promise });
    const all = sequence([slow, component('never')]);
    const starting = all.start();
    await all.stop();
    started.resolve();
    await starting;
    expect(events).toEqual(['stop never', 'stop slow']);
  });

  test('stops all the others when one fails to stop, and tells', async () => {
    const { events, component } = recorder();
    const broken = component('broken', { stop: () => Promise.reject(new Error('stuck')) });
    const all = sequence([component('first'), broken, component('last')]);
    await all.start();
    await expect(all.stop()).rejects.toThrow('stopping failed');
    expect(events).toEqual(['start first', 'start broken', 'start last', 'stop last', 'stop first']);
  });
});
