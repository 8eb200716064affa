// The grammar of cron patterns, case by case against robfig/cron v3 with seconds.
import { describe, expect, test } from 'vitest';
import { parseCronPattern, type UnitField } from '../../../../services/crontab/schedule/cron-pattern.ts';

function parse(text: string) {
  const parsed = parseCronPattern(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.pattern;
}

describe('a pattern', () => {
  test.each([
    ['* * * * * *', '* * * * * *'],
    ['0 30 8 ? * ?', '0 30 8 * * *'],
    // The weekday is what five fields leave out.
    ['0 30 8 1 6', '0 30 8 1 6 *'],
    ['0  30\t8 1 Jan,JUL Mon-fri', '0 30 8 1 1,7 1-5'],
    // A star in a list of days makes both conditions hold, as in the Go library.
    ['0 0 0 *,5 * 1', '0 0 0 * * 1'],
    ['0 0 0 */1 * 1', '0 0 0 * * 1'],
    ['0 0 0 */2 * 1', '0 0 0 */2 * 1'],
    ['0 0 0 1-31 * 1', '0 0 0 1-31 * 1'],
    ['0 0 0 1 * 0-6', '0 0 0 1 * 0-6'],
    // Every hour is hourly, however it is written.
    ['0 0-59 0/1 * * *', '0 * * * * *'],
    ['0 0,30 0-11,12-23 * * *', '0 0,30 * * * *'],
    ['@hourly', '0 0 * * * *'],
    ['@daily', '0 0 0 * * *'],
    ['@midnight', '0 0 0 * * *'],
    ['@weekly', '0 0 0 * * 0'],
    ['@monthly', '0 0 0 1 * *'],
    ['@yearly', '0 0 0 1 1 *'],
    ['@annually', '0 0 0 1 1 *'],
  ])('%s is spelled %s', (text, spelling) => {
    expect(parse(text).text).toBe(spelling);
  });

  test.each<[string, UnitField[]]>([
    ['* * * * * *', []],
    ['*/5 * * * * *', []],
    ['0 30 8 * * *', ['minute', 'hour']],
    ['0 */7 */1 *,4 * 1-5', ['minute', 'weekday']],
    ['0 0-59 0-23 1-31 1-12 0-6', []],
    ['@yearly', ['minute', 'hour', 'month', 'dayOfMonth']],
  ])('%s restricts %j', (text, fields) => {
    expect([...parse(text).restricted]).toEqual(fields);
  });

  test.each([
    ['0 0 0 30 2 *', false],
    ['0 0 0 31 2,4,6,9,11 *', false],
    ['0 0 0 30,31 FEB ?', false],
    ['0 0 0 29 2 *', true],
    ['0 0 0 31 2,3 *', true],
    ['0 0 0 28-31 2 *', true],
    // Mondays in February.
    ['0 0 0 30 2 1', true],
    ['0 0 0 30 2 1-5', true],
    ['0 0 0 30 2 */1', false],
  ])('%s has times: %s', (text, hasTimes) => {
    expect(parse(text).hasTimes).toBe(hasTimes);
  });
});

describe('a pattern that is refused', () => {
  const count = 'expected a timestamp or 6 fields (second minute hour day-of-month month weekday; ';
  const named = 'expected one of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly';

  test.each([
    ['', `${count}the weekday may be left out), got none`],
    ['xyz', `${count}the weekday may be left out), got 1`],
    ['* * * *', `${count}the weekday may be left out), got 4`],
    ['0 0 0 1 1 * 2027', `${count}the weekday may be left out), got 7`],
    ['60 0 * * * *', 'second 60 is above 59'],
    ['0 60 * * * *', 'minute 60 is above 59'],
    ['0 0 24 * * *', 'hour 24 is above 23'],
    ['0 0 0 0 * *', 'day of month 0 is below 1'],
    ['0 0 0 32 * *', 'day of month 32 is above 31'],
    ['0 0 0 * 0 *', 'month 0 is below 1'],
    ['0 0 0 * 13 *', 'month 13 is above 12'],
    ['0 0 0 * * 7', 'weekday 7 is above 6'],
    ['* 5 j * * *', 'hour j is not a number'],
    ['0 0 * * XYZ', 'month XYZ is not a number or a name from JAN to DEC'],
    ['0 0 0 * MON *', 'month MON is not a number or a name from JAN to DEC'],
    ['0 0 0 L * *', 'day of month L is not supported: there is no L, W, # or +'],
    ['0 0 0 * * +5', 'weekday +5 is not supported: there is no L, W, # or +'],
    ['15/0 * * * *', 'second 15/0 has the step "0", expected a whole number above 0'],
    ['@unrecognized', `@unrecognized is not known, ${named} or "@every 1h30m"`],
    ['@Daily', `@Daily is not known, ${named} or "@every 1h30m"`],
    ['@reboot', `@reboot is not known, ${named} or "@every 1h30m"`],
    ['@daily 5', `@daily is not known, ${named} or "@every 1h30m"`],
  ])('%s says why', (text, reason) => {
    expect(parseCronPattern(text)).toEqual({ ok: false, reason });
  });
});
