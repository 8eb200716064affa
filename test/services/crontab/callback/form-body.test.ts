// Bodies of forms: which JSON becomes which fields.
import { expect, test } from 'vitest';
import { encodeForm } from '../../../../services/crontab/callback/form-body.ts';

test.each([
  ['', ''],
  [' \n', ''],
  ['{}', ''],
  ['{"a":1,"b":"x y&z=ü"}', 'a=1&b=x+y%26z%3D%C3%BC'],
  ['{"b":2,"a":1}', 'b=2&a=1'],
  ['{"n":12345678901234567890,"f":1.50,"e":1e3}', 'n=12345678901234567890&f=1.50&e=1e3'],
  ['{"t":true,"f":false,"n":null}', 't=true&f=false&n='],
  ['{"a":[1,"2",null]}', 'a=1&a=2&a='],
  ['{"a":[]}', ''],
  ['{"中":"文"}', '%E4%B8%AD=%E6%96%87'],
  ['a=1', 'a=1'],
  [' a=1&b=%E4%B8%AD&c=&d ', 'a=1&b=%E4%B8%AD&c=&d'],
])('%j is sent as %j', (body, text) => {
  expect(encodeForm(body)).toEqual({ ok: true, text });
});

test.each(['{', '{"a":{}}', '{"a":[{}]}', '1', '"x"', '[]', 'a b=1', '=1', 'word'])(
  '%j is no form',
  (body) => {
    expect(encodeForm(body)).toMatchObject({ ok: false });
  },
);
