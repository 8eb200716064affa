// Bodies of `body_type` 2: fields of a JSON object, sent as application/x-www-form-urlencoded.
import { z } from 'zod';
import { describeError } from '../../../infra/error-text.ts';

export type EncodedForm = { ok: true; text: string } | { ok: false; reason: string };

const fieldsSchema = z.record(z.string(), z.unknown());

/**
 * The fields of a JSON object in its order: numbers as they are written, null as nothing, an array as one field for each
 * of its items. Text that is no JSON object is passed on when it looks urlencoded.
 */
export function encodeForm(body: string): EncodedForm {
  const text = body.trim();
  if (text === '') return { ok: true, text: '' };
  if (!text.startsWith('{')) {
    return /^[^\s=]+=\S*$/.test(text)
      ? { ok: true, text }
      : { ok: false, reason: 'is neither a JSON object nor urlencoded fields' };
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text, keepDigits);
  } catch (error) {
    return { ok: false, reason: `is no JSON object: ${describeError(error)}` };
  }
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries(fieldsSchema.parse(parsed))) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (typeof item === 'object' && item !== null) {
        return {
          ok: false,
          reason: `has a nested value in ${JSON.stringify(name)}, which a form cannot carry`,
        };
      }
      fields.append(name, item === null ? '' : String(item));
    }
  }
  return { ok: true, text: fields.toString() };
}

/** An id of 64 bits would lose its last digits as a number of this language. */
function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? (context?.source ?? value) : value;
}
