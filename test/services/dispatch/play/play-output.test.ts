// What nodes say comes back bounded, as text, and without secrets.
import { expect, test } from 'vitest';
import { usePlayPlatform } from '../../../helpers/play-platform.ts';

const platform = usePlayPlatform(['127.0.13.1']);

test('large output is cut short, and too much of it left out', async () => {
  const say = (octets: number) => ({
    shell: `head -c ${octets} /dev/zero | tr '\\0' x`,
    args: { executable: '/bin/sh' },
  });
  const player = platform.createPlayer({ outputLimits: { maxDetailOctets: 10_000 } });
  const record = platform.start([say(5_000_000), say(9000), say(10)], {}, { player });
  expect(await record.end).toMatchObject({ kind: 'ended', exitCode: 0 });
  const [large, second, third] = record.tasks.map(({ detail }) => detail);
  expect(large?.stdout).toBe(`${'x'.repeat(8192)}… (5000000 characters)`);
  expect(second?.stdout).toBe(`${'x'.repeat(8192)}… (9000 characters)`);
  expect(third).toEqual({ omitted: 'the run has said too much' });
});

test('a result of many texts fits into a line all the same', async () => {
  const record = platform.start([
    { command: 'true', loop: '{{ range(100) | list }}', register: 'all', when: 'false' },
    { debug: { msg: '{{ range(40) | map("regex_replace", "^.*$", "y" * 5000) | list }}' } },
  ]);
  expect(await record.end).toMatchObject({ kind: 'ended', exitCode: 0 });
  const said = record.tasks[1]?.detail.msg;
  expect(said).toHaveLength(40);
  expect(JSON.stringify(said).length).toBeLessThan(65_536);
  expect(said).toContain(`${'y'.repeat(512)}… (5000 characters)`);
});

test('octets that are no text survive as text', async () => {
  const record = platform.start([{ command: { argv: ['printf', 'a\\377\\000b ü 💡'] } }]);
  await record.end;
  expect(record.tasks[0]?.detail.stdout).toBe('a\\xff\\x00b ü 💡');
});

test('secrets are blotted out, also where a text is cut, and not shown in command lines', async () => {
  const secret = 'geheim"42\nzweite Zeile';
  const pieces = secret.split('\n');
  const record = platform.start(
    [
      { name: 'task {{ secret }}', command: { argv: ['printf', '%s', '{{ secret }}'] } },
      { name: 'cut', command: { argv: ['printf', '%s', '{{ "x" * 8187 }}{{ secret }}'] } },
      { name: 'number', debug: { msg: { pin: '{{ pin }}', text: 'is {{ pin }}' } } },
      { name: 'quoted', debug: { msg: '{{ {"a": secret} | to_json }}' } },
      { name: 'hidden', command: { argv: ['echo', 'nobody sees this'] }, no_log: true },
      { name: 'wrong', command: { argv: ['no-such-program', '{{ secret }}'] } },
    ],
    { params: { secret, pin: 48_151_623 }, secretTexts: [secret, '48151623'] },
  );
  expect((await record.end).kind).toBe('ended');
  expect(record.tasks.map(({ result }) => result)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'failed']);
  const all = JSON.stringify(record.events);
  for (const text of [...pieces, 'geheim', '48151623', 'nobody sees']) expect(all).not.toContain(text);
  expect(record.tasks[0]).toMatchObject({ action: 'task ********', detail: { stdout: '********' } });
  expect(record.tasks[2]?.detail.msg).toEqual({ pin: '********', text: 'is ********' });
});
