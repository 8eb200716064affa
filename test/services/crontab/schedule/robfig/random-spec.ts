// Random cron specs, together with what they mean: written down while they are made, not read back from the text.
import type { SeededRandom } from '../../../../helpers/seeded-random.ts';

export type FieldMeaning = {
  values: ReadonlySet<number>;
  /** It says `*` (or `?`, or a step of 1) somewhere: days of such a field do not stand as an alternative. */
  isStar: boolean;
  /** It is made of numbers, lists and ranges, and leaves some value out. */
  isFixed: boolean;
};

export type RandomSpec = {
  text: string;
  timeZone: string;
  second: FieldMeaning;
  minute: FieldMeaning;
  hour: FieldMeaning;
  dayOfMonth: FieldMeaning;
  month: FieldMeaning;
  weekday: FieldMeaning;
};

export const timeZones = [
  'UTC',
  'Asia/Shanghai',
  'America/New_York',
  'Europe/London',
  'Australia/Lord_Howe',
] as const;

type Bounds = {
  min: number;
  max: number;
  names?: readonly string[];
  /** So many of the lowest values make up half of those picked. */
  often?: number;
};
type Part = { text: string; from: number; to: number; step: number; isStar: boolean; isFixed: boolean };

const months = ['Jan', 'FEB', 'mar', 'Apr', 'MAY', 'jun', 'Jul', 'AUG', 'sep', 'Oct', 'NOV', 'dec'];
const weekdays = ['Sun', 'MON', 'tue', 'Wed', 'THU', 'fri', 'Sat'];
const sixty = { min: 0, max: 59 };

/** A spec with its zone as prefix: mostly six fields, sometimes five or a descriptor. */
export function createRandomSpec(random: SeededRandom): RandomSpec {
  const timeZone = random.pick(timeZones);
  const prefix = `${random.pick(['TZ', 'CRON_TZ'])}=${timeZone}${random.pick([' ', '  '])}`;
  const star = { text: '*', ...meaningOf([starPart({ min: 0, max: 6 }, 1, '*')], { min: 0, max: 6 }) };
  const fields = {
    second: createField(random, sixty, 10),
    minute: createField(random, sixty, 15),
    // The clocks change in the first hours of the day.
    hour: createField(random, { min: 0, max: 23, often: 4 }, 30),
    dayOfMonth: createField(random, { min: 1, max: 31 }, 50),
    month: createField(random, { min: 1, max: 12, names: months }, 65),
    weekday: createField(random, { min: 0, max: 6, names: weekdays }, 55),
  };
  if (random.below(50) === 0) return { ...createDescriptor(random, prefix), timeZone };
  const isShort = random.below(10) === 0;
  const { second, minute, hour, dayOfMonth, month } = fields;
  const weekday = isShort ? star : fields.weekday;
  const words = [second, minute, hour, dayOfMonth, month, ...(isShort ? [] : [weekday])];
  const text = prefix + words.map((field) => field.text).join(random.pick([' ', ' ', '  ', '\t']));
  return { text, timeZone, second, minute, hour, dayOfMonth, month, weekday };
}

function createDescriptor(random: SeededRandom, prefix: string): Omit<RandomSpec, 'timeZone'> {
  const only = (value: number) => ({ values: new Set([value]), isStar: false, isFixed: true });
  const every = (bounds: Bounds) => meaningOf([starPart(bounds, 1, '*')], bounds);
  const daily = {
    second: only(0),
    minute: only(0),
    hour: only(0),
    dayOfMonth: every({ min: 1, max: 31 }),
    month: every({ min: 1, max: 12 }),
    weekday: every({ min: 0, max: 6 }),
  };
  const meanings = {
    '@hourly': { ...daily, hour: every({ min: 0, max: 23 }) },
    '@daily': daily,
    '@midnight': daily,
    '@weekly': { ...daily, weekday: only(0) },
    '@monthly': { ...daily, dayOfMonth: only(1) },
    '@yearly': { ...daily, dayOfMonth: only(1), month: only(1) },
    '@annually': { ...daily, dayOfMonth: only(1), month: only(1) },
  };
  const [name, meaning] = random.pick(Object.entries(meanings));
  return { ...meaning, text: prefix + name };
}

/** `starShare` of a hundred are nothing but a star. */
function createField(
  random: SeededRandom,
  bounds: Bounds,
  starShare: number,
): FieldMeaning & { text: string } {
  if (random.below(100) < starShare) {
    const part = starPart(bounds, 1, random.pick(['*', '*', '*', '?', '*/1']));
    return { text: part.text, ...meaningOf([part], bounds) };
  }
  const count = random.pick([1, 1, 1, 1, 2, 3]);
  const parts = Array.from({ length: count }, () => createPart(random, bounds));
  return { text: parts.map((part) => part.text).join(','), ...meaningOf(parts, bounds) };
}

function createPart(random: SeededRandom, bounds: Bounds): Part {
  const { min, max, often } = bounds;
  const pickValue = () =>
    min + random.below(often !== undefined && random.below(2) === 0 ? often : max - min + 1);
  const first = pickValue();
  const second = pickValue();
  const [from, to] = first <= second ? [first, second] : [second, first];
  const step = 1 + random.below(random.pick([3, 10, max + 10]));
  const write = (value: number) => writeValue(random, value, bounds);
  const kind = random.below(20);
  if (kind < 9) return { text: write(from), from, to: from, step: 1, isStar: false, isFixed: true };
  if (kind < 13) {
    return { text: `${write(from)}-${write(to)}`, from, to, step: 1, isStar: false, isFixed: true };
  }
  if (kind < 15) {
    const isFixed = step === 1 || from + step > to;
    return { text: `${write(from)}-${write(to)}/${step}`, from, to, step, isStar: false, isFixed };
  }
  if (kind < 17) {
    const isFixed = step === 1 || from + step > max;
    return { text: `${write(from)}/${step}`, from, to: max, step, isStar: false, isFixed };
  }
  if (kind < 19) return starPart(bounds, step, `${random.pick(['*', '?'])}/${step}`);
  return starPart(bounds, 1, '*');
}

function starPart({ min, max }: Bounds, step: number, text: string): Part {
  return { text, from: min, to: max, step, isStar: step === 1, isFixed: min + step > max };
}

function meaningOf(parts: readonly Part[], { min, max }: Bounds): FieldMeaning {
  const values = new Set<number>();
  for (const { from, to, step } of parts) {
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return {
    values,
    isStar: parts.some((part) => part.isStar),
    isFixed: parts.every((part) => part.isFixed) && values.size < max - min + 1,
  };
}

/** By name where the field has names, or with a leading zero. */
function writeValue(random: SeededRandom, value: number, { min, names }: Bounds): string {
  const name = names?.[value - min];
  if (name !== undefined && random.below(2) === 0) return name;
  return random.below(5) === 0 ? String(value).padStart(2, '0') : String(value);
}
