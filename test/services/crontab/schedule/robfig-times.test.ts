// Fire times beside those of the Go library robfig/cron v3, over thousands of random specs and five years.
import { beforeAll, describe, expect, test } from 'vitest';
import { type FireTimes, parseSchedule } from '../../../../services/crontab/schedule/parse-schedule.ts';
import { reportProgress } from '../../../helpers/programs.ts';
import { createSeededRandom, type SeededRandom } from '../../../helpers/seeded-random.ts';
import { digestAnswers, readAnswerRecord, writeAnswerRecord } from './robfig/answer-record.ts';
import { askLibrary, type LibraryAnswers } from './robfig/ask-library.ts';
import { createRandomSpec, type RandomSpec, timeZones } from './robfig/random-spec.ts';
import { findReferenceTime, isFixedTime, isInGap, matchesWall } from './robfig/reference-times.ts';
import { type ClockChange, createZoneClock, type ZoneClock } from './robfig/zone-clock.ts';

const seed = 20_261_122;
const specCount = 10_000;
const chainLength = 8;
const instantCount = 8;
const firstS = Date.UTC(2025, 0, 1) / 1000;
const yearsS = 5 * 365.25 * 86_400;
const dayS = 86_400;

type Asked = { spec: RandomSpec; from: number[] };

const clocks = new Map<string, ZoneClock>(timeZones.map((name) => [name, createZoneClock(name)]));

function clockOf({ timeZone }: RandomSpec): ZoneClock {
  const clock = clocks.get(timeZone);
  if (clock === undefined) throw new Error(`no clock for ${timeZone}`);
  return clock;
}

function ask(random: SeededRandom): Asked {
  const spec = createRandomSpec(random);
  const from = Array.from({ length: 1 + instantCount }, () => pickInstant(random, clockOf(spec)));
  return { spec, from };
}

/** Half of them lie around a change of the clocks, where the zone has any: the rest of the year hardly differs. */
function pickInstant(random: SeededRandom, { changes }: ZoneClock): number {
  const at = firstS + random.below(yearsS);
  const change = changes.find((candidate) => candidate.at > at);
  const hasChange = change !== undefined && change.at < firstS + yearsS && random.below(2) === 0;
  return hasChange ? change.at - 30 * 3600 + random.below(36 * 3600) : at;
}

function timesOf({ text }: RandomSpec): FireTimes {
  const parsed = parseSchedule({ type: 2, start_time: text, time_zone: 'UTC', anchorMs: 0 });
  if (!parsed.ok) throw new Error(`${text}: ${parsed.reason}`);
  return parsed.times;
}

/** Unix seconds, 0 for none, as the library says it. */
function askOurs(times: FireTimes, from: number): number {
  const nextMs = times.after(from * 1000);
  return nextMs === Infinity ? 0 : nextMs / 1000;
}

/**
 * The differences that are meant, or are the library's own. Each is told from the answers and the calendar, and holds
 * only where a plain search by the house's rule finds our time as well.
 */
const rules = {
  'a fixed time that is skipped in spring fires right after the gap': ({ spec, clock, ours, theirs }) => {
    const change = clock.changes.find(({ at }) => at === ours);
    if (change === undefined || change.by < 0 || !isFixedTime(spec)) return false;
    const isAsked = (wall: number) => isInGap(clock, ours, wall) && matchesWall(spec, wall);
    const gap = Array.from({ length: change.by }, (_, second) => ours + clock.offsetAt(ours - 1) + second);
    return gap.some(isAsked) && (theirs === 0 || theirs > ours);
  },
  'a fixed time in an hour that comes twice in autumn fires at the first': ({
    spec,
    clock,
    ours,
    theirs,
  }) => {
    const moments = clock.momentsOf(theirs + clock.offsetAt(theirs));
    return (
      isFixedTime(spec) && moments.length === 2 && moments[1] === theirs && (ours === 0 || ours > theirs)
    );
  },
  // It goes on by 60 minutes at a time and looks for minute 0 to look at the hour again: after such a change it goes on
  // at half past, for as long as the search lasts.
  'the library loses its way in a search over a change by half an hour': (difference) => {
    const { spec, clock, from, ours, theirs } = difference;
    const isPassed = ({ at, by }: ClockChange) =>
      Math.abs(by) === 1800 && at > from - dayS && (theirs === 0 || at <= theirs);
    const isWrong = theirs !== 0 && !matchesWall(spec, theirs + clock.offsetAt(theirs));
    const isMissed = matchesWall(spec, ours + clock.offsetAt(ours)) && (theirs === 0 || theirs > ours);
    return clock.changes.some(isPassed) && (isWrong || isMissed);
  },
} satisfies Record<string, (difference: Difference) => boolean>;

type Difference = { spec: RandomSpec; clock: ZoneClock; from: number; ours: number; theirs: number };

function explain(difference: Difference): string {
  const { spec, clock, from, ours, theirs } = difference;
  const told = `${spec.text} after ${from}: ${ours}, the library ${theirs}`;
  const reference = findReferenceTime(spec, clock, from);
  if (reference !== ours) return `${told}, by plain search ${reference}`;
  const rule = Object.entries(rules).find(([, holds]) => holds(difference));
  return rule?.[0] ?? `${told}, for no known reason`;
}

describe('the fire times of 10,000 random specs', () => {
  const random = createSeededRandom(seed);
  const asked = Array.from({ length: specCount }, () => ask(random));
  let library: LibraryAnswers | undefined;

  beforeAll(async () => {
    const questions = asked.map(({ spec, from }) => ({ spec: spec.text, from, chain: chainLength }));
    const answers = await askLibrary(questions);
    if (typeof answers === 'string') reportProgress(`robfig/cron as recorded: ${answers}`);
    else library = answers;
  }, 180_000);

  test('are those of the library but for the differences that are listed', async () => {
    const record = await readAnswerRecord();
    const differences = new Map<string, number>();
    const reasons = new Map<string, number>();
    const answers = asked.map(({ spec, from: instants }, index) => {
      const times = timesOf(spec);
      const [start = 0, ...others] = instants;
      const theirTimes: number[] = [];
      const compare = (from: number): number => {
        const key = `${index}/${theirTimes.length}`;
        const ours = askOurs(times, from);
        const theirs =
          library === undefined
            ? (record.differences.get(key) ?? ours)
            : (library[index]?.[theirTimes.length] ?? Number.NaN);
        theirTimes.push(theirs);
        if (theirs === ours) return theirs;
        differences.set(key, theirs);
        const reason = explain({ spec, clock: clockOf(spec), from, ours, theirs });
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        return theirs;
      };
      let from = start;
      for (let round = 0; round < chainLength; round += 1) from = compare(from) || from;
      for (const instant of others) compare(instant);
      return theirTimes;
    });

    const found = { digests: digestAnswers(answers), differences };
    if (library !== undefined && process.env.ROBFIG_RECORD === '1') await writeAnswerRecord(found);
    expect(Object.fromEntries(reasons)).toEqual({
      'a fixed time in an hour that comes twice in autumn fires at the first': 29,
      'a fixed time that is skipped in spring fires right after the gap': 69,
      'the library loses its way in a search over a change by half an hour': 348,
    });
    expect(found).toEqual(await readAnswerRecord());
  }, 120_000);
});
