// Lines of the log, octet by octet.
import { expect, test } from 'vitest';
import { formatLogLine } from '../../../../services/dispatch/api/log-line.ts';

test('a line is that of the document', () => {
  const line = formatLogLine({
    globalId: '16-16',
    source: 'hubble',
    startedAt: new Date('2017-07-27T16:37:04.999Z'),
    endedAt: new Date('2017-07-27T16:37:05Z'),
    host: '127.0.0.1',
    result: 'ok',
  });
  expect(line).toBe(
    'global_id = 16-16, source = hubble, create_time = 2017-07-27T16:37:04Z, end_time = 2017-07-27T16:37:05Z, host = 127.0.0.1, reuslt = ok',
  );
});
