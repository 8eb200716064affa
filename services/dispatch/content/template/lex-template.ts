// Templates cut into the pieces that Jinja evaluates (jinja2 3.1, lexer.py). What is not understood is refused.
import { refuse } from '../refusal.ts';

export type Token =
  | { kind: 'name'; text: string }
  /** `hasEscapes`: Jinja reads the text as other than it is written. */
  | { kind: 'string'; text: string; hasEscapes: boolean }
  | { kind: 'number'; text: string; isInteger: boolean }
  | { kind: 'operator'; text: string };

/** What stands between `{{` and `}}`, or between `{%` and `%}`. Plain text, comments and raw blocks are left out. */
export type TemplatePart = { kind: 'output' | 'statement'; tokens: Token[] };

const closers = new Map([
  ['{', '}'],
  ['(', ')'],
  ['[', ']'],
]);

/** Whether Jinja would look at the text at all. */
export function hasTemplate(text: string): boolean {
  return /\{[{%#]/.test(text);
}

/** The pieces of a text that are evaluated. */
export function lexTemplate(text: string, place: string): TemplatePart[] {
  // Its first line would set other delimiters.
  if (text.startsWith('#jinja2:')) refuse(place, 'a template may not set options of Jinja');
  // Python takes these for white space and JavaScript does not, or the other way round.
  if (/[^\P{Cc}\t\n\v\f\r]|\ufeff/u.test(text))
    refuse(place, 'a template with a character that is not allowed there');
  const parts: TemplatePart[] = [];
  let at = findStart(text, 0);
  while (at !== undefined) {
    const opener = text.slice(at, at + 2);
    const rawEnd = skipRaw(text, at, place);
    if (rawEnd !== undefined) {
      at = findStart(text, rawEnd);
      continue;
    }
    if (opener === '{#') {
      const end = text.indexOf('#}', at + 2);
      if (end === -1) refuse(place, 'a comment of a template that does not end');
      at = findStart(text, end + 2);
      continue;
    }
    const begin = at + (/[-+]/.test(text[at + 2] ?? '') ? 3 : 2);
    const kind = opener === '{{' ? 'output' : 'statement';
    const { tokens, end } = lexTokens(text, begin, place, kind);
    parts.push({ kind, tokens });
    at = findStart(text, end);
  }
  return parts;
}

/** The tokens of an expression that stands alone, as in `when`. */
export function lexExpression(text: string, place: string): Token[] {
  return lexTokens(text, 0, place, undefined).tokens;
}

function findStart(text: string, from: number): number | undefined {
  const starts = /\{[{%#]/g;
  starts.lastIndex = from;
  return starts.exec(text)?.index;
}

/** Where a raw block that begins here ends; undefined where none begins. */
function skipRaw(text: string, at: number, place: string): number | undefined {
  const begin = /\{%[-+]?\s*raw\s*-?%\}/y;
  begin.lastIndex = at;
  if (!begin.test(text)) return undefined;
  const end = /\{%[-+]?\s*endraw\s*[-+]?%\}/g;
  end.lastIndex = begin.lastIndex;
  if (!end.test(text)) refuse(place, 'a raw block of a template that does not end');
  return end.lastIndex;
}

const ends = { output: /-?\}\}/y, statement: /[-+]?%\}/y } as const;
const space = /[ \t\r\n\f\v]+/y;
// In the order in which Jinja tries them; names and digits of ASCII only.
const float = /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const integer = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const name = /[A-Za-z_][A-Za-z0-9_]*/y;
const string = /'[^'\\]*(?:\\[\s\S][^'\\]*)*'|"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y;
const operator = /\/\/|\*\*|==|!=|>=|<=|[-+*/%~[\](){}<>=.:|,;]/y;

function lexTokens(
  text: string,
  begin: number,
  place: string,
  kind: TemplatePart['kind'] | undefined,
): { tokens: Token[]; end: number } {
  const tokens: Token[] = [];
  const open: string[] = [];
  let at = begin;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };

  while (at < text.length) {
    if (kind !== undefined && open.length === 0 && match(ends[kind]) !== undefined)
      return { tokens, end: at };
    if (match(space) !== undefined) continue;
    const token = readToken(match) ?? refuse(place, 'a template with a character that Jinja does not know');
    if (token.kind === 'operator') balance(token.text, open, place);
    // Ansible doubles backslashes in the texts of a template (_escape_backslashes): one before a quote would then end the text.
    if (token.kind === 'string' && /\\['"]/.test(token.text.replaceAll('\\\\', '')))
      refuse(place, 'a template with a backslash in front of a quote');
    tokens.push(token);
  }
  if (kind !== undefined) refuse(place, 'a template that does not end');
  if (open.length > 0) refuse(place, 'brackets that do not match');
  return { tokens, end: at };
}

function readToken(match: (pattern: RegExp) => string | undefined): Token | undefined {
  const decimal = match(float);
  if (decimal !== undefined) return { kind: 'number', text: decimal, isInteger: false };
  const whole = match(integer);
  if (whole !== undefined) return { kind: 'number', text: whole, isInteger: true };
  const word = match(name);
  if (word !== undefined) return { kind: 'name', text: word };
  const quoted = match(string);
  if (quoted !== undefined)
    return { kind: 'string', text: quoted.slice(1, -1), hasEscapes: quoted.includes('\\') };
  const sign = match(operator);
  return sign === undefined ? undefined : { kind: 'operator', text: sign };
}

function balance(sign: string, open: string[], place: string): void {
  const closer = closers.get(sign);
  if (closer !== undefined) open.push(closer);
  else if (sign === '}' || sign === ')' || sign === ']')
    if (open.pop() !== sign) refuse(place, 'brackets that do not match');
}
