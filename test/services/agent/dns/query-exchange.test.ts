// Which faults are the server's, the way's and our own.
import { expect, test } from 'vitest';
import { faultOf } from '../../../../services/agent/dns/query-exchange.ts';

const systemError = (code: string, address = '192.0.2.1') =>
  Object.assign(new Error(code), { code, address, port: 53 });

test.each([
  ['ECONNREFUSED', 'CONN_REFUSED'],
  ['EMFILE', 'AGENT_OVERLOADED'],
  ['ENFILE', 'AGENT_OVERLOADED'],
  ['ENOBUFS', 'AGENT_OVERLOADED'],
  ['ENOMEM', 'AGENT_OVERLOADED'],
  ['EADDRNOTAVAIL', 'AGENT_OVERLOADED'],
  ['EAGAIN', 'AGENT_OVERLOADED'],
  ['ECONNRESET', 'NETWORK_ERROR'],
  ['ENETUNREACH', 'NETWORK_ERROR'],
  ['EHOSTUNREACH', 'NETWORK_ERROR'],
  ['EPIPE', 'NETWORK_ERROR'],
])('%s is %s', (code, fault) => {
  expect(faultOf(systemError(code))).toBe(fault);
});

test('a machine without an IPv6 address has no way to an IPv6 server', () => {
  expect(faultOf(systemError('EADDRNOTAVAIL', '2001:db8::1'))).toBe('NETWORK_ERROR');
});

test.each([[new Error('without a code')], ['no error at all'], [undefined]])(
  '%s is NETWORK_ERROR',
  (error) => {
    expect(faultOf(error)).toBe('NETWORK_ERROR');
  },
);
