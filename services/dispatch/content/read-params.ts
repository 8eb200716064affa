// The variables that a run gets from its caller.
import type { Reading } from './content.ts';
import { findSecretTexts } from './find-secret-texts.ts';
import { isJsonObject, type JsonObject, type JsonValue, measureJson, readJson } from './json.ts';
import { refuse, settleReading } from './refusal.ts';
import { checkVariableName } from './variable-names.ts';

export type Params = {
  /** Values are data: whoever hands them to Ansible has to mark their texts as not to be evaluated. */
  params: Record<string, JsonValue>;
  /** To be blotted out wherever they appear in what comes back. */
  secretTexts: string[];
};

const maxOctets = 64 * 1024;
const maxDepth = 16;
/** Each is looked for in all that comes back. */
const maxSecretLines = 2000;

/** Parameters and secrets as one set of variables. Each is an object, an object as JSON in a string, or nothing (`null`, `""`). */
export function readParams(params: unknown, secrets: unknown): Reading<Params> {
  return settleReading(() => {
    const open = readVariables(params, 'params');
    const secret = readVariables(secrets, 'secrets');
    for (const name of Object.keys(secret))
      if (Object.hasOwn(open, name)) refuse('secrets', `${name} is in params, too`);
    const secretTexts = findSecretTexts(open, secret);
    const lines = secretTexts.reduce((sum, text) => sum + text.split('\n').length, 0);
    if (lines > maxSecretLines) refuse('secrets', `more than ${maxSecretLines} lines`);
    return { params: { ...open, ...secret }, secretTexts };
  });
}

function readVariables(given: unknown, place: string): JsonObject {
  if (given === undefined || given === null || given === '') return {};
  if (typeof given === 'string' && given.length > maxOctets)
    return refuse(place, `more than ${maxOctets} octets`);
  const tree = readJson(typeof given === 'string' ? parseText(given, place) : given, place, maxDepth);
  if (tree === null) return {};
  if (!isJsonObject(tree)) return refuse(place, 'expected an object');
  if (measureJson(tree) > maxOctets) return refuse(place, `more than ${maxOctets} octets`);
  for (const name of Object.keys(tree)) checkVariableName(name, place);
  return tree;
}

function parseText(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError)
      return refuse(place, 'expected an object, or a JSON object in a string');
    throw error;
  }
}
