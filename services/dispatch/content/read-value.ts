// Values of tasks, with a template in any text of them.
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { refuse, showKey } from './refusal.ts';
import { checkTemplate } from './template/check-template.ts';
import { hasTemplate } from './template/lex-template.ts';
import { plainMark } from './variable-names.ts';

/** Refuses what a template in the value could do on the machine that runs Ansible. Keys may not be templates. */
export function checkValue(value: JsonValue, place: string): void {
  if (typeof value === 'string') checkTemplate(value, place);
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) checkValue(item, `${place}[${index}]`);
  } else if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (hasTemplate(key)) refuse(place, 'a key is a template');
      checkValue(item, `${place}.${showKey(key)}`);
    }
  }
}

const mark = `{% if ${plainMark} is defined %}{% endif %}`;

/**
 * The value with its templates changed so that what they make is never evaluated again: a text put together by a template could
 * be a template that nobody has read. Looking at a marked variable marks the result (ansible/template, AnsibleContext).
 */
export function keepPlain(value: JsonValue): JsonValue {
  if (typeof value === 'string') {
    if (!hasTemplate(value) || isNameAlone(value)) return value;
    // Jinja drops a newline behind a statement, so one that begins the text is kept in front of it.
    const [lines = ''] = /^[\r\n]*/.exec(value) ?? [];
    return `${lines}${mark}${value.slice(lines.length)}`;
  }
  if (Array.isArray(value)) return value.map(keepPlain);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, keepPlain(item)]));
}

/** Ansible hands the value of such a variable on in its own type; what made the value has marked it. */
function isNameAlone(text: string): boolean {
  return /^\{\{\s*\w+\s*\}\}\n?$/.test(text);
}

/** Whether the value has templates that `keepPlain` changed. */
export function isKeptPlain(value: JsonValue): boolean {
  return JSON.stringify(value).includes(mark);
}

/** The marked variable, as Ansible's reader of JSON knows it. */
export const plainMarkVariable: JsonObject = { [plainMark]: { __ansible_unsafe: '' } };
