// The texts of a run that nobody may read in its output.
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

const secretName = /pass(?:word|wd|phrase)?|secret|token|(?:api|private|access|ssh)_?key|credential/i;

/** Shorter texts would blot out half of every output. */
const minLength = 4;
const minLineLength = 8;

/**
 * The texts and longer numbers of `secrets`, and those in `params` under names that sound secret, with the forms in which they
 * come back: escaped as in JSON, and line by line. The longest first, so that none is cut open by a shorter one.
 */
export function findSecretTexts(params: JsonObject, secrets: JsonObject): string[] {
  const found = new Set<string>();
  collect(secrets, true, found);
  collect(params, false, found);
  return [...found].sort((one, other) => other.length - one.length);
}

function collect(value: JsonValue, isSecret: boolean, found: Set<string>): void {
  if (typeof value === 'string') {
    if (isSecret) addForms(value, found);
  } else if (typeof value === 'number') {
    const text = String(value);
    if (isSecret && text.replaceAll(/\D/g, '').length >= minLength) found.add(text);
  } else if (Array.isArray(value)) for (const item of value) collect(item, isSecret, found);
  else if (isJsonObject(value))
    for (const [key, item] of Object.entries(value)) collect(item, isSecret || secretName.test(key), found);
}

function addForms(text: string, found: Set<string>): void {
  if (text.length < minLength) return;
  addWithEscapes(text, found);
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  if (lines.length > 1)
    for (const line of lines) if (line.length >= minLineLength) addWithEscapes(line, found);
}

function addWithEscapes(text: string, found: Set<string>): void {
  found.add(text);
  const escaped = JSON.stringify(text).slice(1, -1);
  found.add(escaped);
  // As Python writes JSON: characters beyond ASCII are escaped, too.
  found.add(escaped.replaceAll(/[\u007f-\uffff]/g, escapeUnit));
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
