// Blots out secrets in what comes back from a play.
import type { JsonValue } from '../content/json.ts';

const blot = '********';
// Shorter lines of a secret stand in too many other texts.
const minLineLength = 6;

/** The forms in which a secret may come back: as it is, quoted within JSON, and line by line. The longest first. */
export function listSecretForms(secretTexts: readonly string[]): string[] {
  const forms = secretTexts.flatMap((text) => [
    text,
    JSON.stringify(text).slice(1, -1),
    ...(text.includes('\n') ? text.split(/\r?\n/).filter((line) => line.trim().length >= minLineLength) : []),
  ]);
  return [...new Set(forms)].filter((form) => form !== '').sort((a, b) => b.length - a.length);
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
