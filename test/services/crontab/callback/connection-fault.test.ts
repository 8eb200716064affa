// Names of faults that no server on loopback can bring about.
import { expect, test } from 'vitest';
import { explainConnectionFault } from '../../../../services/crontab/callback/connection-fault.ts';

function fault(code: string, message = 'text') {
  return Object.assign(new Error(message), { code });
}

test.each([
  [fault('ETIMEDOUT'), 'TIMEOUT', 'the host does not answer'],
  [fault('UND_ERR_CONNECT_TIMEOUT'), 'TIMEOUT', 'the host does not answer'],
  [fault('EAI_AGAIN'), 'NETWORK_ERROR', 'DNS: the name servers do not answer'],
  [fault('EHOSTUNREACH', 'connect EHOSTUNREACH'), 'NETWORK_ERROR', 'connect EHOSTUNREACH'],
  [fault('EMFILE', 'too many open files'), 'NETWORK_ERROR', 'too many open files'],
  [fault('CERT_HAS_EXPIRED', 'certificate has expired'), 'NETWORK_ERROR', 'TLS: certificate has expired'],
  [new Error('who knows'), 'NETWORK_ERROR', 'who knows'],
  ['thrown text', 'NETWORK_ERROR', 'thrown text'],
])('%s is %s: %s', (error, code, reason) => {
  expect(explainConnectionFault(error)).toEqual({ code, reason });
});

test('several addresses that all refuse are one refusal', () => {
  const refusals = [fault('ECONNREFUSED'), fault('ECONNREFUSED')];
  const error = Object.assign(new AggregateError(refusals), { code: 'ECONNREFUSED' });
  expect(explainConnectionFault(error)).toEqual({ code: 'CONN_REFUSED', reason: 'nobody listens there' });
});
