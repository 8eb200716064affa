// JSON as a tree of its own: what content and parameters are once they are read.
import { refuse, showKey } from './refusal.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export type JsonObject = { [key: string]: JsonValue };

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The value with everything refused that JSON, Postgres or Ansible cannot hold as data: NUL, halves of surrogate pairs,
 * numbers that are none or not exact, anything deeper than `maxDepth`, and keys in two underscores (`__ansible_vault` and its like have a
 * meaning for the JSON reader of Ansible, `__proto__` for that of JavaScript).
 */
export function readJson(value: unknown, place: string, maxDepth: number): JsonValue {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return readText(value, place);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse(place, 'a number that JSON does not have');
    // It has lost its last digits already.
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      refuse(place, 'a number of too many digits; give it as text');
    return value;
  }
  if (typeof value !== 'object') return refuse(place, 'a value that JSON does not have');
  if (maxDepth === 0) refuse(place, 'nested too deeply');
  if (Array.isArray(value))
    return value.map((item: unknown, index) => readJson(item, `${place}[${index}]`, maxDepth - 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) refuse(place, 'a value that JSON does not have');
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => [
      readKey(key, place),
      readJson(item, `${place}.${showKey(key)}`, maxDepth - 1),
    ]),
  );
}

/** Text that Postgres and UTF-8 can hold. */
export function readText(text: string, place: string): string {
  if (text.includes('\0')) refuse(place, 'has a NUL character');
  if (!text.isWellFormed()) refuse(place, 'has half a surrogate pair');
  return text;
}

function readKey(key: string, place: string): string {
  if (key.startsWith('__')) refuse(place, `key ${showKey(key)}: keys may not begin with __`);
  return readText(key, place);
}

/** Octets of the value as JSON. */
export function measureJson(value: JsonValue): number {
  return Buffer.byteLength(JSON.stringify(value));
}
