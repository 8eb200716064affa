// What `npm run bench` is told.
import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';

export type BenchRequest = {
  benches: Bench[];
  isQuick: boolean;
  isJson: boolean;
  /** Writes results.md and the plots. */
  isSaved: boolean;
  /** Where every process that measures leaves a CPU profile. */
  profileFolder: string | undefined;
};

export type BenchArguments =
  | { kind: 'run'; request: BenchRequest }
  | { kind: 'help'; text: string }
  | { kind: 'fault'; text: string };

/** Without a name all benches are meant, in their order. */
export function parseBenchArguments(args: readonly string[], benches: readonly Bench[]): BenchArguments {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        save: { type: 'boolean', default: false },
        'cpu-prof': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return { kind: 'help', text: describeUse(benches) };
    const unknown = positionals.find((name) => !benches.some((bench) => bench.name === name));
    if (unknown !== undefined) return { kind: 'fault', text: `there is no bench ${unknown}` };
    if (values.save && values.quick)
      return { kind: 'fault', text: '--save takes full rounds, --quick has none' };
    const request = {
      benches: benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
      isQuick: values.quick,
      isJson: values.json,
      isSaved: values.save,
      profileFolder: values['cpu-prof'],
    };
    return { kind: 'run', request };
  } catch (error) {
    if (error instanceof TypeError) return { kind: 'fault', text: error.message };
    throw error;
  }
}

function describeUse(benches: readonly Bench[]): string {
  const widest = Math.max(...benches.map(({ name }) => name.length));
  return [
    'npm run bench -- [NAME…] [--quick] [--json] [--save] [--cpu-prof FOLDER]',
    '',
    ...benches.map(({ name, summary }) => `  ${name.padEnd(widest)}  ${summary}`),
    '',
    'Every server that is needed is started on loopback and stopped at the end.',
    '  --quick            fewer and shorter rounds, about five minutes for all',
    '  --json             one JSON object for each figure, one a line',
    '  --save             writes the figures and plots to test/bench/results.md',
    '  --cpu-prof FOLDER  a CPU profile of every service and every process that measures',
    '',
    'Exit code: 0 when everything counted was right, 1 when not, 2 when the call was not understood.',
  ].join('\n');
}
