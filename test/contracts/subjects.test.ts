// Which subjects a reply may go to.
import { expect, test } from 'vitest';
import { internalSubjects, isReplySubject, orderSubject, subjects } from '../../contracts/subjects.ts';

test.each(['_INBOX.abc.1', 'probe.task.get:5f3a', 'caller.replies', '_R_.abc.def', '_GR_.abc.def'])(
  'a reply may go to %s',
  (subject) => {
    expect(isReplySubject(subject)).toBe(true);
  },
);

test.each([
  ...Object.values(subjects),
  ...Object.values(internalSubjects),
  orderSubject('zhuhai-1'),
  '$SYS.REQ.SERVER.PING',
  '$SRV.PING',
  '$JS.API.STREAM.DELETE.x',
])('no reply goes to %s', (subject) => {
  expect(isReplySubject(subject)).toBe(false);
});

test('no two calls share a subject', () => {
  const all = [...Object.values(subjects), ...Object.values(internalSubjects)];
  expect(new Set(all).size).toBe(all.length);
});
