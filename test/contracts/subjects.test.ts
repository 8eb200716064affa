// Which subjects a reply may go to.
import { expect, test } from 'vitest';
import { agentIdSchema } from '../../contracts/agent.ts';
import {
  internalSubjects,
  isCallableSubject,
  isReplySubject,
  orderSubject,
  subjects,
  wakeSubject,
} from '../../contracts/subjects.ts';

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
  wakeSubject('zhuhai-1'),
  '$SYS.REQ.SERVER.PING',
  '$SRV.PING',
  '$JS.API.STREAM.DELETE.x',
])('no reply goes to %s', (subject) => {
  expect(isReplySubject(subject)).toBe(false);
});

test.each([
  subjects.taskGet,
  subjects.agentGet,
  subjects.oneShoot,
  'billing.run',
  'probe.task.get:5f3a',
  '计费.运行',
  'x'.repeat(255),
])('a callback may ask %s', (subject) => {
  expect(isCallableSubject(subject)).toBe(true);
});

test.each([
  ...Object.values(internalSubjects),
  orderSubject('zhuhai-1'),
  wakeSubject('zhuhai-1'),
  '$SYS.REQ.SERVER.PING',
  '$JS.API.STREAM.DELETE.x',
  '$KV.bucket.key',
  '_INBOX.abc.1',
  '_R_.abc.def',
  '_GR_.abc.def',
  'a.*',
  'a.>',
  '>',
  'a*b',
  '',
  '.',
  'a.',
  '.a',
  'a..b',
  'a b',
  'a\tb',
  'a\0b',
  'x'.repeat(256),
])('no callback asks %j', (subject) => {
  expect(isCallableSubject(subject)).toBe(false);
});

test('no agent has an id that would make its subjects those of all agents', () => {
  const words = [...Object.values(subjects), ...Object.values(internalSubjects)]
    .filter((subject) => subject.startsWith('probe.agent.'))
    .map((subject) => subject.split('.')[2]);
  expect(words.length).toBeGreaterThan(2);
  for (const word of words) expect(agentIdSchema.safeParse(word)).toMatchObject({ success: false });
  expect(agentIdSchema.safeParse('zhuhai-1')).toMatchObject({ success: true });
});

test('no two calls share a subject', () => {
  const all = [...Object.values(subjects), ...Object.values(internalSubjects)];
  expect(new Set(all).size).toBe(all.length);
});
