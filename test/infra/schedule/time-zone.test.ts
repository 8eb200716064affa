// What counts as the name of a time zone.
import { expect, test } from 'vitest';
import { isTimeZone } from '../../../infra/schedule/time-zone.ts';

test.each(['Asia/Shanghai', 'UTC', 'America/Argentina/Buenos_Aires', '+08:00'])('%s is one', (name) => {
  expect(isTimeZone(name)).toBe(true);
});

test.each(['', ' ', 'Asia/Nowhere', 'Local', 'Asia/Shanghai ', '25:00', 'Asia\0Shanghai'])(
  '%j is none',
  (name) => {
    expect(isTimeZone(name)).toBe(false);
  },
);
