// Names in presentation form to the octets of a question.
import { expect, test } from 'vitest';
import { encodeDomainName } from '../../contracts/domain-name.ts';

/** The labels of a wire form, each as Latin-1 text; fails when the lengths do not lead to the end. */
function readLabels(text: string): string[] {
  const name = encodeDomainName(text);
  if (!name.ok) throw new Error(`${text} ${name.reason}`);
  const labels: string[] = [];
  let offset = 0;
  for (let length = name.wire[0] ?? -1; length > 0; length = name.wire[offset] ?? -1) {
    labels.push(Buffer.from(name.wire.subarray(offset + 1, offset + 1 + length)).toString('latin1'));
    offset += 1 + length;
  }
  expect(offset).toBe(name.wire.length - 1);
  return labels;
}

test.each([
  ['.', []],
  ['localhost', ['localhost']],
  ['www.example.com', ['www', 'example', 'com']],
  ['www.example.com.', ['www', 'example', 'com']],
  ['WWW.Example.com', ['WWW', 'Example', 'com']],
  ['a\\.b.example', ['a.b', 'example']],
  ['a\\046b.example', ['a.b', 'example']],
  ['a\\\\b.example', ['a\\b', 'example']],
  ['\\000\\255.example', ['\u0000\u00ff', 'example']],
  ['\\中.example', ['\u00e4\u00b8\u00ad', 'example']],
  ['中文。中国', ['xn--fiq228c', 'xn--fiqs8s']],
  ['straße.example', ['xn--strae-oqa', 'example']],
  ['Bücher.Example', ['xn--bcher-kva', 'Example']],
  ['１６３.com', ['163', 'com']],
  ['①.com', ['1', 'com']],
  ['９９。ａ', ['99', 'a']],
  ['０ｘ１.example', ['0x1', 'example']],
  ['１\u00ad６.example', ['16', 'example']],
  ['＿dmarc.example', ['_dmarc', 'example']],
])('%s has the labels %j', (text, labels) => {
  expect(readLabels(text)).toEqual(labels);
});

test('a name of 255 octets on the wire is the longest', () => {
  const labels = ['a'.repeat(63), 'b'.repeat(63), 'c'.repeat(63), 'd'.repeat(61)];
  expect(encodeDomainName(labels.join('.'))).toMatchObject({ ok: true, wire: { length: 255 } });
  expect(encodeDomainName(`${labels.join('.')}d`)).toEqual({
    ok: false,
    reason: 'is longer than 255 octets',
  });
});

test('a trailing dot is not part of the length', () => {
  const labels = ['a'.repeat(63), 'b'.repeat(63), 'c'.repeat(63), 'd'.repeat(61), ''];
  expect(encodeDomainName(labels.join('.'))).toMatchObject({ ok: true, wire: { length: 255 } });
});

test.each(['a', 'www.example.com.', 'x-1._tcp.EXAMPLE', '0.1.2.3', 'xn--fiqs8s', `${'a'.repeat(63)}.b`])(
  '%s has the same octets when its first character is escaped',
  (name) => {
    const escaped = `\\${String(name.charCodeAt(0)).padStart(3, '0')}${name.slice(1)}`;
    expect(encodeDomainName(escaped)).toEqual(encodeDomainName(name));
  },
);

test.each([
  ['', 'is empty'],
  ['a..b', 'has an empty label'],
  ['.a', 'has an empty label'],
  ['a'.repeat(64), 'has a label over 63 octets'],
  ['\\256', 'has an escape above \\255'],
  ['a\\', 'has an escape that is cut short'],
  ['a\\04', 'has an escape that is cut short'],
  ['a b', 'has a blank or control character that is not escaped'],
  ['⒈com', 'has a label that IDNA does not allow'],
  ['１／２.example', 'has a label that IDNA does not allow'],
  ['中/x.example', 'has a label that IDNA does not allow'],
  ['中%2e.example', 'has a label that IDNA does not allow'],
  ['中\\046文', 'mixes escapes with characters outside ASCII in one label'],
  ['x'.repeat(1_000_000), 'is longer than 255 octets'],
])('%.20s is refused', (text, reason) => {
  expect(encodeDomainName(text)).toEqual({ ok: false, reason });
});
