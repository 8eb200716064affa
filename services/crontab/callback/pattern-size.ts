// How large a pattern becomes when its repetitions are written out, told from its text alone.

const tokens =
  /\\Q.*?(?:\\E|$)|\\[pPx]\{[^}]*\}|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|\(\?(?:P?<\w+>|[a-zA-Z-]*[:)])|\{(?<min>\d+)(?:,(?<max>\d*))?\}|./gsu;

type Group = { steps: number; last: number };

/**
 * Roughly the steps of an RE2 program, at most a few times fewer: one for each character, class and group, times the
 * counts around them. Compiling a pattern to learn the same takes seconds where the counts are large.
 */
export function estimateSteps(source: string): number {
  let group: Group = { steps: 0, last: 0 };
  const outer: Group[] = [];
  for (const { 0: token, groups } of source.matchAll(tokens)) {
    if (groups?.min !== undefined) {
      group.last *= Math.max(Number(groups.max || groups.min), 1);
    } else if (token.startsWith('(') && !token.endsWith(')')) {
      outer.push(group);
      group = { steps: 0, last: 0 };
    } else if (token === ')') {
      const inner = group;
      group = outer.pop() ?? { steps: 0, last: 0 };
      add(group, inner.steps + inner.last + 2);
    } else if (token !== '|') {
      add(group, token.startsWith('\\Q') ? token.length : 1);
    }
  }
  return [...outer, group].reduce((sum, { steps, last }) => sum + steps + last, 0);
}

/** What a count after it repeats is the newest part alone. */
function add(group: Group, steps: number): void {
  group.steps += group.last;
  group.last = steps;
}
