// Secrets in whatever form they come back.
import { expect, test } from 'vitest';
import {
  listSecretForms,
  maskJson,
  maskObject,
  maskText,
} from '../../../../services/dispatch/play/mask-secrets.ts';

test('the longest form goes first, so that no end of it stays', () => {
  const forms = listSecretForms(['pass', 'password']);
  expect(maskText('password pass', forms)).toBe('******** ********');
});

test('a secret within JSON in a string and each line of it are blotted out', () => {
  const forms = listSecretForms(['first "line"\nsecond line\nab']);
  const quoted = JSON.stringify({ key: 'first "line"\nsecond line\nab' });
  expect(maskText(quoted, forms)).toBe('{"key":"********"}');
  expect(maskText('second line\r\nab', forms)).toBe('********\r\nab');
});

test('a secret as Python writes it, and in JSON within JSON, is blotted out', () => {
  const forms = listSecretForms(['pä"ss']);
  expect(maskText('{"a": "p\\u00e4\\"ss"}', forms)).toBe('{"a": "********"}');
  expect(maskText(JSON.stringify({ a: JSON.stringify({ b: 'pä"ss' }) }), forms)).not.toContain('ss');
});

test('keys, numbers and all depths are looked at', () => {
  const forms = listSecretForms(['1234', 'geheim']);
  expect(maskJson({ geheim: [1234, { a: 'x1234', b: true, c: null }] }, forms)).toEqual({
    '********': ['********', { a: 'x********', b: true, c: null }],
  });
});

test('an empty secret changes nothing', () => {
  expect(maskObject({ a: 'b' }, listSecretForms(['']))).toEqual({ a: 'b' });
});
