import { expect, test } from 'vitest';
import type { Bench } from './bench.ts';
import { parseBenchArguments } from './bench-arguments.ts';

const bench = (name: string): Bench => ({
  name,
  summary: `what ${name} is`,
  run: async () => ({ figures: [] }),
});
const benches = [bench('dns'), bench('one-shot'), bench('scale')];

function namesOf(args: string[]): string[] | undefined {
  const parsed = parseBenchArguments(args, benches);
  return parsed.kind === 'run' ? parsed.request.benches.map(({ name }) => name) : undefined;
}

test('without a name all benches are run, in full', () => {
  expect(namesOf([])).toEqual(['dns', 'one-shot', 'scale']);
  expect(parseBenchArguments([], benches)).toMatchObject({
    request: { isQuick: false, isJson: false, isSaved: false, profileFolder: undefined },
  });
});

test('names choose benches, in the order of the table', () => {
  expect(namesOf(['scale', 'dns'])).toEqual(['dns', 'scale']);
});

test('options are taken before and after names', () => {
  const parsed = parseBenchArguments(['--json', 'dns', '--quick', '--cpu-prof', 'here'], benches);
  expect(parsed).toMatchObject({ request: { isQuick: true, isJson: true, profileFolder: 'here' } });
});

test.each([
  [['speed'], 'there is no bench speed'],
  [['--slow'], '--slow'],
  [['--cpu-prof'], '--cpu-prof'],
  [['--quick', '--save'], '--save takes full rounds'],
])('%j is refused', (args, words) => {
  const parsed = parseBenchArguments(args, benches);
  expect(parsed).toMatchObject({ kind: 'fault', text: expect.stringContaining(words) });
});

test('the help names every bench', () => {
  const parsed = parseBenchArguments(['-h'], benches);
  for (const { name, summary } of benches) {
    expect(parsed).toMatchObject({ kind: 'help', text: expect.stringContaining(summary) });
    expect(parsed).toMatchObject({ text: expect.stringContaining(name) });
  }
});
