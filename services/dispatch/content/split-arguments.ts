// `key=value` arguments as Ansible splits them (ansible-core 2.14, parsing/splitter.py), so that it has nothing left to split.
import { readText } from './json.ts';
import { refuse } from './refusal.ts';

export type SplitArguments = { options: Map<string, string>; freeText: string };

/** What Ansible takes out of the text of `shell`, `command` and `raw`, wherever it stands. */
const freeFormOptions = new Set([
  'creates',
  'removes',
  'chdir',
  'executable',
  'warn',
  'stdin',
  'stdin_add_newline',
  'strip_empty_ends',
]);

/** `a=b c="d e"` as options, and what is none as text. Of a free form only the options that Ansible knows are taken out. */
export function splitArguments(
  text: string,
  place: string,
  { isFreeForm }: { isFreeForm: boolean },
): SplitArguments {
  const options = new Map<string, string>();
  const free: string[] = [];
  for (const word of splitWords(text.trimStart(), place)) {
    const decoded = readText(decodeEscapes(word, place), place);
    const at = findAssignment(decoded);
    if (at === undefined) {
      free.push(decoded.includes('=') ? decoded.replaceAll('\\=', '=') : word);
      continue;
    }
    const key = decoded.slice(0, at);
    if (isFreeForm && !freeFormOptions.has(key)) free.push(word);
    else options.set(key.trim(), unquote(decoded.slice(at + 1).trim()));
  }
  return { options, freeText: joinWords(free) };
}

/** The first `=` that neither begins the word nor follows a backslash. */
function findAssignment(word: string): number | undefined {
  for (let at = word.indexOf('=', 1); at !== -1; at = word.indexOf('=', at + 1))
    if (word[at - 1] !== '\\') return at;
  return undefined;
}

function unquote(text: string): string {
  const quote = text[0];
  const isQuoted =
    text.length > 1 && (quote === '"' || quote === "'") && text.at(-1) === quote && text.at(-2) !== '\\';
  return isQuoted ? text.slice(1, -1) : text;
}

const singleEscapes = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);

function decodeEscapes(word: string, place: string): string {
  return word.replaceAll(
    /\\(?:U([0-9a-fA-F]{8})|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(N)\{|([\\'"abfnrtv]))/g,
    (_, long?: string, short?: string, octet?: string, named?: string, single?: string) => {
      if (named !== undefined) return refuse(place, 'a character given by its name (\\N{…})');
      if (single !== undefined) return singleEscapes.get(single) ?? single;
      const codePoint = Number.parseInt(long ?? short ?? octet ?? '', 16);
      if (codePoint > 0x10_ff_ff) return refuse(place, 'an escape of no character');
      return String.fromCodePoint(codePoint);
    },
  );
}

function joinWords(words: string[]): string {
  let text = '';
  for (const word of words) text += text === '' || text.endsWith('\n') ? word : ` ${word}`;
  return text;
}

const blocks = [
  ['{{', '}}'],
  ['{%', '%}'],
  ['{#', '#}'],
] as const;

/** Words at single spaces and newlines; quotes and blocks of a template hold theirs together. */
function splitWords(text: string, place: string): string[] {
  const words: string[] = [];
  const depths = [0, 0, 0];
  let quote: string | undefined;
  const append = (more: string): void => {
    const last = words.pop();
    if (last === undefined) refuse(place, 'arguments that Ansible cannot split');
    words.push(`${last}${more}`);
  };

  const lines = text.split('\n');
  for (const [lineIndex, line] of lines.entries()) {
    const tokens = line.split(' ');
    let isContinued = false;
    for (const [index, token] of tokens.entries()) {
      if (token === '' && index !== 0) {
        append(' ');
        continue;
      }
      const wasQuoted = quote !== undefined;
      if (token === '\\' && !wasQuoted) {
        isContinued = true;
        continue;
      }
      quote = findQuoteAfter(token, quote);
      const isQuoted = quote !== undefined;
      const isInBlock = depths.some((depth) => depth > 0);
      let isTaken = true;
      if (isQuoted && !wasQuoted && !isInBlock) words.push(token);
      else if (isInBlock || isQuoted || wasQuoted) {
        const isGlued = index === 0 && wasQuoted;
        append(isGlued ? token : `${tokens.length > 1 ? (index > 0 ? ' ' : '') : '\n'}${token}`);
      } else isTaken = false;
      for (const [kind, [open, close]] of blocks.entries()) {
        const before = depths[kind] ?? 0;
        const after = Math.max(0, before + count(token, open) - count(token, close));
        depths[kind] = after;
        if (after !== before && !isTaken) {
          words.push(token);
          isTaken = true;
        }
      }
      if (!isTaken && !isQuoted && !depths.some((depth) => depth > 0) && token !== '') words.push(token);
    }
    if (lineIndex !== lines.length - 1 && !isContinued) append('\n');
  }
  if (quote !== undefined || depths.some((depth) => depth > 0))
    refuse(place, 'unbalanced quotes, or an unbalanced block of a template');
  return words;
}

function findQuoteAfter(token: string, quote: string | undefined): string | undefined {
  let current = quote;
  for (let index = 0; index < token.length; index += 1) {
    const char = token[index];
    if ((char !== '"' && char !== "'") || token[index - 1] === '\\') continue;
    if (current === undefined) current = char;
    else if (current === char) current = undefined;
  }
  return current;
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
