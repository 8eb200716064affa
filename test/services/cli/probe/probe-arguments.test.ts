import { describe, expect, test } from 'vitest';
import { parseProbeArguments } from '../../../../services/cli/probe/probe-arguments.ts';

function faultsOf(...args: string[]): string[] {
  const parsed = parseProbeArguments(args);
  return parsed.kind === 'faults' ? parsed.faults : [];
}

describe('parseProbeArguments', () => {
  test('asks for A records of one name without further arguments', () => {
    expect(parseProbeArguments(['www.example.test'])).toEqual({
      kind: 'run',
      isJson: false,
      request: { target: [{ type: 'domain', rtype: 'A', data: 'www.example.test' }] },
    });
  });

  test('takes every option', () => {
    const args = [
      'a.test',
      'b.test',
      '-t',
      'mx',
      '--type=TXT',
      '-s',
      '192.0.2.1',
      '--server',
      'tcp://[2001:db8::1]:53',
    ];
    args.push('-g', '7', '-r', '86,440000,,电信', '--region', '86, 110000', '--timeout', '2.5', '--json');
    expect(parseProbeArguments(args)).toEqual({
      kind: 'run',
      isJson: true,
      request: {
        target: [
          { type: 'domain', rtype: 'mx', data: 'a.test' },
          { type: 'domain', rtype: 'TXT', data: 'a.test' },
          { type: 'domain', rtype: 'mx', data: 'b.test' },
          { type: 'domain', rtype: 'TXT', data: 'b.test' },
        ],
        probe_data: { dns_servers: ['192.0.2.1', 'tcp://[2001:db8::1]:53'] },
        group_id: 7,
        regions: [
          ['86', '440000', '', '电信'],
          ['86', '110000'],
        ],
        resp_timeout: 2.5,
      },
    });
  });

  test('takes a name that starts with a dash behind --', () => {
    expect(parseProbeArguments(['--', '-x.test'])).toMatchObject({
      kind: 'run',
      request: { target: [{ data: '-x.test' }] },
    });
  });

  test.each([['--help'], ['-h'], ['a.test', '-h'], ['--help', '-t', 'NONSENSE']])(
    'takes %j %j for a call for help',
    (...args) => {
      expect(parseProbeArguments(args)).toEqual({ kind: 'help' });
    },
  );

  test.each([
    [[], 'NAME is missing'],
    [['a..b'], 'NAME "a..b": name has an empty label'],
    [[''], 'NAME "": name is empty'],
    [['a.test', `${'x'.repeat(64)}.test`], `NAME "${'x'.repeat(64)}.test": name has a label over 63 octets`],
    [
      ['a\u001b[2J.test'],
      'NAME "a\\u{001b}[2J.test": name has a blank or control character that is not escaped',
    ],
    [
      ['a.test', '127.0.0.1:6553'],
      'NAME "127.0.0.1:6553": is a server\'s address; did you forget -- after npm run probe?',
    ],
    [['2001:db8::1'], 'NAME "2001:db8::1": is a server\'s address; did you forget -- after npm run probe?'],
    [['a.test', '-t', 'FOO'], '-t "FOO": unknown record type'],
    [
      ['a.test', '-s', 'dns.test'],
      '-s "dns.test": server is not an IP address with an optional port and scheme',
    ],
    [['a.test', '-g', 'x'], '-g "x": expected a whole number'],
    [['a.test', '-g', '1.5'], '-g "1.5": expected a whole number'],
    [['a.test', '-g', '1', '-g', '2'], '-g: given more than once'],
    [['a.test', '--timeout', '1', '--timeout', '2'], '--timeout: given more than once'],
    [['a.test', '--timeout', 'soon'], '--timeout "soon": expected seconds'],
    [['a.test', '--timeout', ''], '--timeout "": expected seconds'],
    [['a.test', '-r', '1,2,3,4,5'], '-r "1,2,3,4,5": expected at most [country, province, city, carrier]'],
    [['a.test', '--bogus'], "Unknown option '--bogus'"],
    [['a.test', '--json=yes'], "Option '--json' does not take an argument"],
  ])('refuses %j', (args, fault) => {
    expect(faultsOf(...args)).toEqual([fault]);
  });

  test.each([
    [['a.test', '--timeout', '0'], /^--timeout "0": .*1/],
    [['a.test', '--timeout', '61'], /^--timeout "61": .*60/],
    [['a.test', '-g', '99999999999999999999'], /^-g "9+": /],
    [['a.test', '-s'], /^Option '-s, --server <value>' argument missing$/],
    [['a.test', '-s', '-t'], /^Option '-s' argument is ambiguous\..*'-s-XYZ'\.$/],
  ])('refuses %j in one line', (args, fault) => {
    const faults = faultsOf(...args);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
    expect(faults[0]).not.toContain('\n');
  });

  test('names every fault once, each with its own argument', () => {
    const args = [
      'a.test',
      'b..test',
      'c..test',
      '-t',
      'MX',
      '-t',
      'FOO',
      '-s',
      '192.0.2.1',
      '-s',
      'x',
      '-g',
      'y',
    ];
    expect(faultsOf(...args, '--timeout', '99').map((fault) => fault.split(':')[0])).toEqual([
      '-g "y"',
      '-s "x"',
      '-t "FOO"',
      'NAME "b..test"',
      'NAME "c..test"',
      '--timeout "99"',
    ]);
  });

  test('quotes only the start of an endless argument', () => {
    expect(faultsOf('x'.repeat(100_000))[0]?.length).toBeLessThan(200);
  });

  test('knows that JSON is asked for even where the rest cannot be parsed', () => {
    expect(parseProbeArguments(['a.test', '--json', '--bogus'])).toMatchObject({
      kind: 'faults',
      isJson: true,
    });
    expect(parseProbeArguments(['--bogus', '--', '--json'])).toMatchObject({ kind: 'faults', isJson: false });
  });
});
