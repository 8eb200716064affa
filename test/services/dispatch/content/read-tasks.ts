// What content becomes, for tests that expect it to be read.
import type { Content } from '../../../../services/dispatch/content/content.ts';
import { type JsonObject, type JsonValue, readJson } from '../../../../services/dispatch/content/json.ts';
import { readContent } from '../../../../services/dispatch/content/read-content.ts';

export function readOrThrow(tasks: unknown, roles: string[] = []): Content {
  const reading = readContent({ tasks }, new Set(roles));
  if (!reading.ok) throw new Error(reading.reason);
  return reading.value;
}

export function readTasks(tasks: unknown): JsonObject[] {
  const content = readOrThrow(tasks);
  if (content.kind !== 'tasks') throw new Error('expected tasks');
  return content.tasks;
}

/** Why the content is refused. */
export function refusalOf(tasks: unknown): string {
  const reading = readContent({ tasks }, new Set());
  if (reading.ok) throw new Error(`is not refused: ${JSON.stringify(reading.value)}`);
  return reading.reason;
}

export function asJson(value: unknown): JsonValue {
  return readJson(value, '', 100);
}
