// What the Go library answered when it was last asked, for machines without it: small enough to be checked in.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Answers that are not ours, by `spec/question`, and a digest of all answers for each block of specs. */
export type AnswerRecord = { digests: string[]; differences: Map<string, number> };

const recordFile = join(import.meta.dirname, 'answers.txt');
const heading =
  '# Answers of robfig/cron v3.0.1; `ROBFIG_RECORD=1` and the test of fire times write them anew.';
const specsPerBlock = 100;

/** The digests of the answers, in the order of the specs. */
export function digestAnswers(answers: readonly (readonly number[])[]): string[] {
  const digests: string[] = [];
  for (let from = 0; from < answers.length; from += specsPerBlock) {
    const lines = answers.slice(from, from + specsPerBlock).map((times) => times.join(' '));
    digests.push(createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16));
  }
  return digests;
}

export async function readAnswerRecord(): Promise<AnswerRecord> {
  const record: AnswerRecord = { digests: [], differences: new Map() };
  for (const line of (await readFile(recordFile, 'utf8')).trimEnd().split('\n')) {
    if (line.startsWith('#')) continue;
    const [key = '', value] = line.split(' ');
    if (value === undefined) record.digests.push(key);
    else record.differences.set(key, Number(value));
  }
  return record;
}

export async function writeAnswerRecord({ digests, differences }: AnswerRecord): Promise<void> {
  const lines = [heading, ...digests, ...[...differences].map(([key, value]) => `${key} ${value}`)];
  await writeFile(recordFile, `${lines.join('\n')}\n`);
}
