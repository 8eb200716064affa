// Events as a play tells them.
import type { PlayEvent } from '../../../../services/dispatch/play/player.ts';

type TaskEvent = Extract<PlayEvent, { kind: 'task' }>;
type Stats = Extract<PlayEvent, { kind: 'stats' }>['nodes'][string];

export const startedAt = Date.parse('2026-09-20T04:00:00.250Z');

export function taskEvent(node: string, event: Partial<TaskEvent> = {}): TaskEvent {
  return {
    kind: 'task',
    node,
    action: 'say hello',
    module: 'ansible.builtin.command',
    result: 'ok',
    isIgnored: false,
    isChanged: false,
    startedAt,
    endedAt: startedAt + 1500,
    detail: {},
    ...event,
  };
}

export function statsEvent(nodes: Record<string, Partial<Stats>>): PlayEvent {
  const none = { ok: 0, changed: 0, failures: 0, unreachable: 0, skipped: 0, rescued: 0, ignored: 0 };
  return {
    kind: 'stats',
    nodes: Object.fromEntries(Object.entries(nodes).map(([node, stats]) => [node, { ...none, ...stats }])),
  };
}
