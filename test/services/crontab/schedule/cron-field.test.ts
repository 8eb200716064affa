// What one field of a cron pattern may hold; the cases of the Go library's own parser tests are among them.
import { describe, expect, test } from 'vitest';
import { type FieldRule, parseCronField } from '../../../../services/crontab/schedule/cron-field.ts';

function ruleOf(min: number, max: number, names: string[] = []): FieldRule {
  return { name: 'field', min, max, names };
}

const minutes = ruleOf(0, 59);
const weekdays = ruleOf(0, 6, ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']);

function parseValues(text: string, rule: FieldRule): number[] {
  const parsed = parseCronField(text, rule);
  if (!parsed.ok) throw new Error(parsed.reason);
  return [...parsed.field.values].toSorted((a, b) => a - b);
}

describe('the values of a field', () => {
  test.each<[string, FieldRule, number[]]>([
    ['5', ruleOf(0, 7), [5]],
    ['0', ruleOf(0, 7), [0]],
    ['7', ruleOf(0, 7), [7]],
    ['5-5', ruleOf(0, 7), [5]],
    ['5-6', ruleOf(0, 7), [5, 6]],
    ['5-7', ruleOf(0, 7), [5, 6, 7]],
    ['5-6/2', ruleOf(0, 7), [5]],
    ['5-7/2', ruleOf(0, 7), [5, 7]],
    ['5-7/1', ruleOf(0, 7), [5, 6, 7]],
    ['*', ruleOf(1, 3), [1, 2, 3]],
    ['*/2', ruleOf(1, 3), [1, 3]],
    ['?/2', ruleOf(1, 3), [1, 3]],
    ['5,6', ruleOf(1, 7), [5, 6]],
    ['5,6,7', ruleOf(1, 7), [5, 6, 7]],
    ['1,5-7/2,3', ruleOf(1, 7), [1, 3, 5, 7]],
    ['5/15', minutes, [5, 20, 35, 50]],
    ['0/15', minutes, [0, 15, 30, 45]],
    ['40/1000', minutes, [40]],
    ['007', minutes, [7]],
    ['mon', weekdays, [1]],
    ['Mon-FRI/2', weekdays, [1, 3, 5]],
    ['5-sat', weekdays, [5, 6]],
    ['sun,3', weekdays, [0, 3]],
    ['TUE/2', weekdays, [2, 4, 6]],
  ])('%s of %o are %j', (text, rule, values) => {
    expect(parseValues(text, rule)).toEqual(values);
  });

  test.each([
    ['*', true],
    ['?', true],
    ['*/1', true],
    ['5,*', true],
    ['?/1,3', true],
    ['*/2', false],
    ['0-59', false],
    ['0/1', false],
  ])('%s as a star is %s', (text, isStar) => {
    expect(parseCronField(text, minutes)).toMatchObject({ ok: true, field: { isStar } });
  });

  test.each([
    ['?', '*'],
    ['3,*/1', '*'],
    ['?/7', '*/7'],
    ['05', '5'],
    ['5/15', '5-59/15'],
    ['40/30', '40'],
    ['*/60', '0'],
    ['10-20/1', '10-20'],
    ['10-20/11', '10'],
    ['1-3,50/4,7', '1-3,50-59/4,7'],
  ])('%s is spelled %s', (text, spelling) => {
    expect(parseCronField(text, minutes)).toMatchObject({ ok: true, field: { text: spelling } });
  });
});

describe('a field that is refused', () => {
  test.each<[string, FieldRule, string]>([
    ['', minutes, 'field has an empty part in ""'],
    ['1,,2', minutes, 'field has an empty part in "1,,2"'],
    ['1,', minutes, 'field has an empty part in "1,"'],
    ['1/2/3', minutes, 'field 1/2/3 has more than one slash'],
    ['*//2', minutes, 'field *//2 has more than one slash'],
    ['1-2-3', minutes, 'field 1-2-3 has more than one hyphen'],
    ['5--5', minutes, 'field 5--5 has more than one hyphen'],
    ['*/0', minutes, 'field */0 has the step "0", expected a whole number above 0'],
    ['*/', minutes, 'field */ has the step "", expected a whole number above 0'],
    ['*/-12', minutes, 'field */-12 has the step "-12", expected a whole number above 0'],
    ['*/x', minutes, 'field */x has the step "x", expected a whole number above 0'],
    ['*/1.5', minutes, 'field */1.5 has the step "1.5", expected a whole number above 0'],
    ['*-5', minutes, 'field *-5 is a range that begins with *'],
    ['?-5', minutes, 'field ?-5 is a range that begins with ?'],
    ['1-*', minutes, 'field * in 1-* is not a number'],
    ['**', minutes, 'field ** is not a number'],
    ['5-3', minutes, 'field range 5-3 ends before it begins'],
    ['SAT-SUN', weekdays, 'field range SAT-SUN ends before it begins'],
    ['75', minutes, 'field 75 is above 59'],
    ['50-75/5', minutes, 'field 75 in 50-75/5 is above 59'],
    ['0', ruleOf(1, 31), 'field 0 is below 1'],
    ['7', weekdays, 'field 7 is above 6'],
    ['99999999999999999999', minutes, 'field 99999999999999999999 is above 59'],
    ['x', minutes, 'field x is not a number'],
    ['1.5', minutes, 'field 1.5 is not a number'],
    ['0x5', minutes, 'field 0x5 is not a number'],
    ['٣', minutes, 'field ٣ is not a number'],
    ['-5', minutes, 'field -5 lacks a number'],
    ['5-', minutes, 'field 5- lacks a number'],
    ['/5', minutes, 'field /5 lacks a number'],
    ['MON', minutes, 'field MON is not a number'],
    ['MONDAY', weekdays, 'field MONDAY is not a number or a name from SUN to SAT'],
    ['JAN-x', weekdays, 'field JAN in JAN-x is not a number or a name from SUN to SAT'],
    ['+5', minutes, 'field +5 is not supported: there is no L, W, # or +'],
    ['L', weekdays, 'field L is not supported: there is no L, W, # or +'],
    ['5L', weekdays, 'field 5L is not supported: there is no L, W, # or +'],
    ['15W', minutes, 'field 15W is not supported: there is no L, W, # or +'],
    ['LW', minutes, 'field LW is not supported: there is no L, W, # or +'],
    ['MON#2', weekdays, 'field MON#2 is not supported: there is no L, W, # or +'],
  ])('%s of %o says why', (text, rule, reason) => {
    expect(parseCronField(text, rule)).toEqual({ ok: false, reason });
  });
});
