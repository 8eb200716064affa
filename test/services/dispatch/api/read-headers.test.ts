// Which headers make a request somebody's.
import { expect, test } from 'vitest';
import { readHeaders } from '../../../../services/dispatch/api/read-headers.ts';

function read(headers: Record<string, string>): { origin: object; faults: string[] } {
  const { origin, faults } = readHeaders({ header: (name) => headers[name] });
  return { origin, faults: faults.map(({ path, reason }) => `${path}: ${reason}`) };
}

test.each([
  [{ 'x-resource': 'orion' }, 'orion'],
  [{ 'x-source': 'hubble' }, 'hubble'],
  [{ 'x-resource': 'orion', 'x-source': 'orion' }, 'orion'],
  [{ 'x-resource': '', 'x-source': 'hubble' }, 'hubble'],
  [{ 'x-resource': 'orion', 'x-source': '' }, 'orion'],
  [{ 'x-resource': '拨测 😀, = "x"' }, '拨测 😀, = "x"'],
  [{ 'x-resource': '拨'.repeat(128) }, '拨'.repeat(128)],
])('%j is a source', (headers, source) => {
  expect(read({ 'x-correlation-id': '1-1', ...headers })).toEqual({
    origin: { globalId: '1-1', source },
    faults: [],
  });
});

test.each([
  [{}, ['X-RESOURCE: is missing']],
  [{ 'x-resource': '' }, ['X-RESOURCE: is missing']],
  [{ 'x-resource': 'a', 'x-source': 'b' }, ['X-SOURCE: says something else than X-RESOURCE']],
  [{ 'x-resource': 'a\uFFFD' }, ['X-RESOURCE: is not UTF-8']],
  [{ 'x-resource': 'a'.repeat(129) }, ['X-RESOURCE: expected 1 to 128 printable characters']],
])('%j is none', (headers, faults) => {
  expect(read({ 'x-correlation-id': '1-1', ...headers }).faults).toEqual(faults);
});

test.each(['a\tb', 'a\0', 'a\u0085b', 'a\u2028b', 'a\u202Eb', '\uD800', 'x'.repeat(129)])(
  '%j is no correlation id',
  (id) => {
    expect(read({ 'x-correlation-id': id, 'x-resource': 'a' }).faults).toEqual([
      'X-CORRELATION-ID: expected 1 to 128 printable characters',
    ]);
  },
);
