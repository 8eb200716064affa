// Which addresses may be called: the always refused ones in every disguise, and an operator's lists.
import { expect, test } from 'vitest';
import { cidrSchema, createNetworkPolicy } from '../../../infra/network/network-policy.ts';

const open = createNetworkPolicy({ allow: [], deny: [] });

test.each([
  '10.1.2.3',
  '127.0.0.1',
  '192.168.1.1',
  '8.8.8.8',
  '::1',
  'fd12::1',
  '2001:db8::1',
  '::ffff:10.1.2.3',
])('%s may be called by default', (address) => {
  expect(open.findRefusal(address)).toBeUndefined();
});

test.each([
  '169.254.0.1',
  '169.254.169.254',
  '169.254.170.2',
  'fe80::1',
  'fe80::1%eth0',
  'febf:ffff::1',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '::169.254.169.254',
  '::ffff:0:169.254.169.254',
  '64:ff9b::169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::a9fe:a9fe',
  '2002:a9fe:a9fe::1',
])('%s is link-local', (address) => {
  expect(createNetworkPolicy({ allow: ['0.0.0.0/0', '::/0'], deny: [] }).findRefusal(address)).toBe(
    'is link-local',
  );
});

test.each([
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  'fd20:ce:0:0:0:0:0:254',
  'fd00:42::42',
  '::ffff:6464:64c8',
  '64:ff9b::100.100.100.200',
  '2002:6464:64c8::',
])("%s is a cloud's metadata service", (address) => {
  expect(open.findRefusal(address)).toBe("is a cloud's metadata service");
});

test.each(['0.0.0.0', '0.1.2.3', '::', '::ffff:0.0.0.0'])('%s is no address of a host', (address) => {
  expect(open.findRefusal(address)).toBe('is no address of a host');
});

test.each(['', 'localhost', '1.2.3', '1.2.3.4.5', ':::'])('%j is no address', (address) => {
  expect(open.findRefusal(address)).toBe('is no IP address');
});

test.each([
  '10.1.2.3',
  '::ffff:10.1.2.3',
  '::ffff:0a01:0203',
  '::10.1.2.3',
  '64:ff9b::10.1.2.3',
  '2002:a01:203::1',
  'fd00::1',
  '192.0.2.7',
])('%s is denied by a list', (address) => {
  const policy = createNetworkPolicy({ allow: [], deny: ['10.0.0.0/8', 'fd00::/8', '192.0.2.7'] });
  expect(policy.findRefusal(address)).toBe('is in a network that is denied here');
});

test('a list denies what is in it and nothing else', () => {
  const policy = createNetworkPolicy({ allow: [], deny: ['10.0.0.0/9', 'fd00::/16'] });
  for (const address of ['10.128.0.1', '9.255.255.255', 'fd01::1', '64:ff9b::10.128.0.1', '2002:a80:1::'])
    expect(policy.findRefusal(address)).toBeUndefined();
});

test('what is allowed is all that may be called, and what is denied is taken away from it', () => {
  const policy = createNetworkPolicy({ allow: ['10.0.0.0/8', 'fd12::/16'], deny: ['10.9.0.0/16'] });
  expect(policy.findRefusal('10.1.2.3')).toBeUndefined();
  expect(policy.findRefusal('::ffff:10.1.2.3')).toBeUndefined();
  expect(policy.findRefusal('fd12::1')).toBeUndefined();
  expect(policy.findRefusal('10.9.0.1')).toBe('is in a network that is denied here');
  for (const address of ['11.0.0.1', '127.0.0.1', '::1', 'fd13::1', '64:ff9b::10.1.2.3'])
    expect(policy.findRefusal(address)).toBe('is in no network that is allowed here');
});

test.each(['10.0.0.0/8', '1.2.3.4', '0.0.0.0/0', 'fd00::/8', '::1', '2001:DB8::/32'])(
  '%s is a CIDR',
  (text) => {
    expect(cidrSchema.safeParse(text).success).toBe(true);
  },
);

test.each([
  '',
  'x',
  '10.0.0.0/33',
  '10.0.0/8',
  'fd00::/129',
  '10.0.0.0/',
  '::ffff:10.0.0.0/104',
  'fe80::1%eth0',
  ' ::1',
])('%j is no CIDR', (text) => {
  expect(cidrSchema.safeParse(text)).toMatchObject({ success: false });
  expect(() => createNetworkPolicy({ allow: [], deny: [text] })).toThrow('not a CIDR');
});
