// Blots out secrets in what comes back from a play.
import type { JsonValue } from '../content/json.ts';

const blot = '********';
// Shorter lines of a secret stand in too many other texts.
const minLineLength = 8;

/**
 * The forms in which a secret may come back: as it is and line by line, each within JSON, within JSON in a string of JSON, and
 * as Python writes JSON. The longest first, so that none is cut open by a shorter one.
 */
export function listSecretForms(secretTexts: readonly string[]): string[] {
  const forms = secretTexts.flatMap((text) => [text, ...longLinesOf(text)]).flatMap(formsOf);
  return [...new Set(forms)].filter((form) => form !== '').sort((a, b) => b.length - a.length);
}

function longLinesOf(text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  return lines.length === 1 ? [] : lines.filter((line) => line.length >= minLineLength);
}

function formsOf(text: string): string[] {
  const escaped = escapeJson(text);
  return [text, escaped, escapeJson(escaped), escaped.replaceAll(/[\u007f-\uffff]/g, escapeUnit)];
}

function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** `forms` as `listSecretForms` gives them. */
export function maskText(text: string, forms: readonly string[]): string {
  return forms.reduce((masked, form) => masked.replaceAll(form, blot), text);
}

export function maskJson(value: JsonValue, forms: readonly string[]): JsonValue {
  if (forms.length === 0) return value;
  if (typeof value === 'string') return maskText(value, forms);
  if (typeof value === 'number') return forms.includes(String(value)) ? blot : value;
  if (Array.isArray(value)) return value.map((item) => maskJson(item, forms));
  if (typeof value !== 'object' || value === null) return value;
  return maskObject(value, forms);
}

export function maskObject(
  value: Record<string, JsonValue>,
  forms: readonly string[],
): Record<string, JsonValue> {
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [maskText(name, forms), maskJson(item, forms)]),
  );
}
