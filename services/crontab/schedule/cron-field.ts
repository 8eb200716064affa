// One field of a cron pattern: what it may hold, and what is wrong with it in words.

export type FieldRule = {
  /** As faults call it. */
  name: string;
  min: number;
  max: number;
  /** Names of the values from `min` on; empty where the field takes numbers alone. */
  names: readonly string[];
};

export type CronField = {
  values: ReadonlySet<number>;
  /** It holds `*`, `?` or `*` with step 1, if only in a part of its list. */
  isStar: boolean;
  /** The field part by part: numbers for names, `*` for `?`, no steps that change nothing. */
  text: string;
};

export type ParsedField = { ok: true; field: CronField } | { ok: false; reason: string };

type Part = { from: number; to: number; step: number; isStar: boolean; hasStar: boolean };

/**
 * Reads a list of values, ranges and steps as robfig/cron v3 does: `5/15` is `5-max/15`. Other than there, what can only
 * be a slip is refused: an empty part (`1,,2`), a range that begins with `*` (`*-5`) and a sign (`+5`).
 */
export function parseCronField(text: string, rule: FieldRule): ParsedField {
  const values = new Set<number>();
  const texts: string[] = [];
  let isStar = false;
  for (const partText of text.split(',')) {
    const part = parsePart(partText, text, rule);
    if (typeof part === 'string') return { ok: false, reason: part };
    for (let value = part.from; value <= part.to; value += part.step) values.add(value);
    isStar ||= part.isStar;
    texts.push(formatPart(part));
  }
  return { ok: true, field: { values, isStar, text: isStar ? '*' : texts.join(',') } };
}

/** The part, or what is wrong with it. */
function parsePart(text: string, fieldText: string, rule: FieldRule): Part | string {
  if (text === '') return `${rule.name} has an empty part in "${fieldText}"`;
  const [rangeText = '', stepText, ...moreSteps] = text.split('/');
  if (moreSteps.length > 0) return `${rule.name} ${text} has more than one slash`;
  const [fromText = '', toText, ...moreEnds] = rangeText.split('-');
  if (moreEnds.length > 0) return `${rule.name} ${text} has more than one hyphen`;

  const step = stepText === undefined ? 1 : parseStep(stepText);
  if (step === undefined) {
    return `${rule.name} ${text} has the step "${stepText}", expected a whole number above 0`;
  }
  if (fromText === '*' || fromText === '?') {
    if (toText !== undefined) return `${rule.name} ${text} is a range that begins with ${fromText}`;
    return { from: rule.min, to: rule.max, step, isStar: step === 1, hasStar: true };
  }
  const from = parseValue(fromText, text, rule);
  if (typeof from === 'string') return from;
  const end = toText === undefined ? from : parseValue(toText, text, rule);
  if (typeof end === 'string') return end;
  if (end < from) return `${rule.name} range ${rangeText} ends before it begins`;
  const to = toText === undefined && stepText !== undefined ? rule.max : end;
  return { from, to, step, isStar: false, hasStar: false };
}

function parseStep(text: string): number | undefined {
  const step = /^\d+$/.test(text) ? Number(text) : 0;
  return step > 0 ? step : undefined;
}

function parseValue(text: string, partText: string, rule: FieldRule): number | string {
  const { name, min, max, names } = rule;
  const index = names.indexOf(text.toUpperCase());
  if (index >= 0) return min + index;
  const where = text === partText ? '' : ` in ${partText}`;
  if (text === '') return `${name} ${partText} lacks a number`;
  if (!/^\d+$/.test(text)) {
    const isNumberWithExtra = /^(\d*[LW]|L-\d+|LW|\w+#\w+|\+\w*)$/i.test(text);
    if (isNumberWithExtra) return `${name} ${text}${where} is not supported: there is no L, W, # or +`;
    const orName = names.length === 0 ? '' : ` or a name from ${names[0]} to ${names.at(-1)}`;
    return `${name} ${text}${where} is not a number${orName}`;
  }
  const value = Number(text);
  if (value < min) return `${name} ${text}${where} is below ${min}`;
  if (value > max) return `${name} ${text}${where} is above ${max}`;
  return value;
}

function formatPart({ from, to, step, isStar, hasStar }: Part): string {
  if (isStar) return '*';
  if (from + step > to) return String(from);
  const range = hasStar ? '*' : `${from}-${to}`;
  return step === 1 ? range : `${range}/${step}`;
}
