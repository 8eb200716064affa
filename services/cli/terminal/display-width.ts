// How many columns of a terminal a text takes, and texts fitted into columns.

// Unicode Standard Annex 11: blocks whose characters are wide or fullwidth throughout, unassigned ones included.
const wideBlocks: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f], // Hangul Jamo, leading consonants
  [0x2329, 0x232a],
  [0x2630, 0x2637],
  [0x268a, 0x268f],
  [0x2e80, 0x303e], // CJK radicals, ideographic description and punctuation
  [0x3041, 0x3247], // Kana, Bopomofo, Hangul compatibility, enclosed CJK
  [0x3250, 0x4dbf], // Enclosed and squared CJK, extension A
  [0x4dc0, 0xa4cf], // Hexagrams, CJK unified ideographs, Yi
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3], // Hangul syllables
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6b],
  [0xff01, 0xff60], // Fullwidth forms
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff], // Ideographic symbols, Tangut, Khitan
  [0x1aff0, 0x1b2fb], // Kana extensions, Nushu
  [0x1d300, 0x1d376],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd], // CJK extensions B and later
];

const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
// Regional indicators are narrow each: two of them make one flag.
const emoji = /^(?!\p{Regional_Indicator})\p{Emoji_Presentation}$/u;
const printableAscii = /^[ -~]*$/;

/** Columns that the text takes on a terminal: 2 for wide East Asian characters and emoji, 0 for combining marks. */
export function displayWidth(text: string): number {
  if (printableAscii.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint < 0x300) return codePoint === 0xad ? 1 : Number(!zeroWidth.test(character));
  if (zeroWidth.test(character)) return 0;
  const isWide = wideBlocks.some(([first, last]) => codePoint >= first && codePoint <= last);
  return isWide || emoji.test(character) ? 2 : 1;
}

/** Fills up with blanks to `width` columns; a wider text stays as it is. */
export function padColumns(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'left' ? text + blanks : blanks + text;
}

/** The text within `width` columns, with `…` in place of what does not fit. */
export function cutColumns(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  return `${splitColumns(text, width - 1)[0]}…`;
}

/** Lines of at most `width` columns, broken at blanks where there are any. Nothing but those blanks is left out. */
export function wrapColumns(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (displayWidth(rest) > width) {
    const [fitting, overflow] = splitColumns(rest, width);
    if (overflow === '') break;
    const blank = overflow.startsWith(' ') ? fitting.length : fitting.lastIndexOf(' ');
    const end = blank > 0 ? blank : fitting.length;
    lines.push(rest.slice(0, end));
    rest = rest.slice(blank > 0 ? end + 1 : end);
  }
  return [...lines, rest];
}

/** As many characters as fit into `width` columns, at least one, and those that follow. */
function splitColumns(text: string, width: number): [fitting: string, overflow: string] {
  let end = 0;
  let used = 0;
  for (const character of text) {
    used += characterWidth(character);
    if (used > width && end > 0) break;
    end += character.length;
  }
  return [text.slice(0, end), text.slice(end)];
}
