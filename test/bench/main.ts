// npm run bench: what the platform exists for, measured beside what a user would pick instead.
import { describeError } from '../../infra/error-text.ts';
import { crontab } from './crontab.ts';
import { dispatch } from './dispatch.ts';
import { dns } from './dns.ts';
import { dnsDelay } from './dns-delay.ts';
import { fanOut } from './fan-out.ts';
import type { Bench } from './harness/bench.ts';
import { type BenchRequest, parseBenchArguments } from './harness/bench-arguments.ts';
import { createPlatform } from './harness/platform.ts';
import { formatFigure, renderFigures } from './harness/render-figures.ts';
import { runBench } from './harness/run-bench.ts';
import { saveResults } from './harness/save-results.ts';
import { oneShot } from './one-shot.ts';
import { paths } from './paths.ts';
import { recurring } from './recurring.ts';
import { scale } from './scale.ts';
import { schedule } from './schedule.ts';
import { taskGet } from './task-get.ts';

const benches: Bench[] = [
  dns,
  dnsDelay,
  oneShot,
  fanOut,
  recurring,
  schedule,
  taskGet,
  scale,
  crontab,
  dispatch,
  paths,
];

const parsed = parseBenchArguments(process.argv.slice(2), benches);
// What an interrupted bench was about to do is of no use any more.
if (parsed.kind === 'run') process.exit(await runAll(parsed.request));
else if (parsed.kind === 'help') process.stdout.write(`${parsed.text}\n`);
else {
  process.stderr.write(`${parsed.text}\n`);
  process.exitCode = 2;
}

/** One after the other: two that run at once would measure each other. */
async function runAll(request: BenchRequest): Promise<number> {
  const { isQuick, isJson, isSaved, profileFolder } = request;
  const platform = createPlatform();
  const interrupt = new AbortController();
  // Listening on: a second signal during the stop must not cut it short.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interrupt.abort());
  let hasFailed = false;
  try {
    for (const bench of request.benches) {
      report(`${bench.name}: ${bench.summary}`);
      try {
        const { figures, curves } = await runBench(bench, {
          platform,
          isQuick,
          profileFolder,
          signal: interrupt.signal,
          report,
        });
        const lines = isJson
          ? figures.map(formatFigure)
          : [...renderFigures(figures, { hasColour: process.stdout.isTTY }), ''];
        process.stdout.write(`${lines.join('\n')}\n`);
        if (isSaved) await saveResults(import.meta.dirname, bench.name, { figures, curves });
      } catch (error) {
        if (interrupt.signal.aborted) {
          report('interrupted');
          return 130;
        }
        hasFailed = true;
        report(`${bench.name} FAILED: ${error instanceof Error ? error.stack : describeError(error)}`);
      }
    }
  } finally {
    await platform.stop();
  }
  return hasFailed ? 1 : 0;
}

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
