// Signatures as the specification of Standard Webhooks gives them.
import { expect, test } from 'vitest';
import { webhookHeaders } from '../../../../services/crontab/callback/webhook-headers.ts';

// The vector of the specification's own libraries.
const vector = {
  messageId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  payload: '{"test": 2432232314}',
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
};
const vectorMs = 1_614_265_330_000;

test('the headers of a signed message', () => {
  expect(webhookHeaders(vector, vectorMs + 999)).toEqual([
    'webhook-id',
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp',
    '1614265330',
    'webhook-signature',
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  ]);
});

test('a message without a secret is not signed', () => {
  expect(webhookHeaders({ ...vector, secret: undefined }, vectorMs)).toEqual([
    'webhook-id',
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp',
    '1614265330',
  ]);
});
