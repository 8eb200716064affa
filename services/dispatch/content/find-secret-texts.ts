// The texts of a run that nobody may read in its output.
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

const secretName = /pass(?:word|wd|phrase)?|secret|token|(?:api|private|access|ssh)_?key|credential/i;

/** Shorter texts would blot out half of every output. */
const minLength = 4;

/** The texts and longer numbers of `secrets`, and those in `params` under names that sound secret. */
export function findSecretTexts(params: JsonObject, secrets: JsonObject): string[] {
  const found = new Set<string>();
  collect(secrets, true, found);
  collect(params, false, found);
  return [...found];
}

function collect(value: JsonValue, isSecret: boolean, found: Set<string>): void {
  if (typeof value === 'string') {
    if (isSecret && value.length >= minLength) found.add(value);
  } else if (typeof value === 'number') {
    const text = String(value);
    if (isSecret && text.replaceAll(/\D/g, '').length >= minLength) found.add(text);
  } else if (Array.isArray(value)) for (const item of value) collect(item, isSecret, found);
  else if (isJsonObject(value))
    for (const [key, item] of Object.entries(value)) collect(item, isSecret || secretName.test(key), found);
}
