// `resp_regexp`: what a reply has to contain, as RE2, whose time is bounded by text and pattern alone.
import { RE2JS, RE2JSException } from 're2js';
import { keepResults } from './bounded-cache.ts';
import { estimateSteps } from './pattern-size.ts';

/** Time grows with it: a reply of 64 KiB against the worst patterns of this size held the process up for about a second. */
const maxProgramSize = 250;
/** What is estimated as larger is not even compiled: `(?:…){1000}` would hold the process up for seconds. */
const maxEstimatedSize = 20 * maxProgramSize;
/** Each keeps up to a few MB of matching states. */
const maxKeptPatterns = 200;

type Pattern = { matches: (text: string) => boolean } | { fault: string };

const compile = keepResults(maxKeptPatterns, (source): Pattern => {
  try {
    const estimated = estimateSteps(source);
    if (estimated > maxEstimatedSize) return tooLarge(estimated);
    const regexp = RE2JS.compile(source);
    const size = regexp.programSize();
    if (size > maxProgramSize) return tooLarge(size);
    return { matches: (text) => regexp.test(text) };
  } catch (error) {
    if (error instanceof RE2JSException) return { fault: error.message };
    throw error;
  }
});

function tooLarge(size: number): { fault: string } {
  return { fault: `is too large: ${size} steps when repetitions are written out, of ${maxProgramSize}` };
}

/** Does this pattern take any reply? The document writes `*` for it, which is no regular expression. */
function takesAnything(source: string): boolean {
  return source === '' || source === '*';
}

/** Why this is no pattern, in the words of RE2; undefined when it is one. */
export function findPatternFault(source: string): string | undefined {
  if (takesAnything(source)) return undefined;
  const pattern = compile(source);
  return 'fault' in pattern ? pattern.fault : undefined;
}

/** Does the pattern match anywhere in the text, as Go's `MatchString` has it? Never for one that has a fault. */
export function matchesPattern(source: string, text: string): boolean {
  if (takesAnything(source)) return true;
  const pattern = compile(source);
  return 'matches' in pattern && pattern.matches(text);
}
