import { describe, expect, test } from 'vitest';
import { parseTaskArguments, type TaskRequest } from '../../../../services/cli/task/task-arguments.ts';

function requestOf(...args: string[]): TaskRequest | undefined {
  const parsed = parseTaskArguments(args);
  return parsed.kind === 'run' ? parsed.request : undefined;
}

function faultsOf(...args: string[]): string[] {
  const parsed = parseTaskArguments(args);
  return parsed.kind === 'faults' ? parsed.faults : [];
}

const commands = 'expected list, show, create, pause, resume, delete, results, slots';
const id = 'expected a task id, digits only, as list shows it';

describe('parseTaskArguments', () => {
  test.each([['--help'], ['-h'], ['help'], ['create', '--help'], ['show', '-h'], ['slots', 'x', '--help']])(
    'takes %j %j for a call for help',
    (...args) => {
      expect(parseTaskArguments(args)).toEqual({ kind: 'help' });
    },
  );

  test.each([
    [[], `COMMAND is missing: ${commands}`],
    [['lost'], `COMMAND "lost": ${commands}`],
    [['toString'], `COMMAND "toString": ${commands}`],
    [['--json', 'list'], `COMMAND "--json": ${commands}`],
    [['list', '7'], '"7": list takes options only'],
    [['list', '--paused', '--enabled'], '--paused and --enabled: expected one of them at most'],
    [['list', '--limit', '0'], '--limit "0": expected a whole number above 0'],
    [['list', '--limit', '1', '--limit', '2'], '--limit: given more than once'],
    [['list', '--bogus'], "Unknown option '--bogus'"],
    [['show'], 'ID is missing'],
    [['show', '1', '2'], 'ID "2": one task only'],
    [['show', '1.5'], `ID "1.5": ${id}`],
    [['show', '0'], `ID "0": ${id}`],
    [['delete'], 'ID is missing'],
    [['pause', '12', 'twelve'], `ID "twelve": ${id}`],
    [['resume', '9'.repeat(19)], `ID "${'9'.repeat(19)}": ${id}`],
    [['results', 'x'], `ID "x": ${id}`],
    [['slots', '1', '2'], 'ID "2": one task only'],
    [['slots', '--limit', 'all'], '--limit "all": expected a whole number above 0'],
    [
      ['slots', '--from', 'noon'],
      '--from "noon": expected Unix seconds or ISO 8601 as in 2026-01-31T08:00:00Z',
    ],
    [
      ['results', '--to', '2026-01-31'],
      '--to "2026-01-31": expected Unix seconds or ISO 8601 as in 2026-01-31T08:00:00Z',
    ],
    [['results', '--from', '1', '--from', '2'], '--from: given more than once'],
    [['results', '--agent', 'a b'], '--agent "a b": expected 1–64 letters, digits, - or _'],
    [['results', '--domain', 'a..b'], '--domain "a..b": name has an empty label'],
    [['results', '--status', 'ok'], '--status "ok": expected the name of an rcode or of a failure'],
    [['slots', '--status', 'LOST'], "Unknown option '--status'"],
    [['create'], 'NAME or --domain-group is missing'],
    [['create', 'a..b'], 'NAME "a..b": name has an empty label'],
    [['create', 'a.test', '-t', 'FOO'], '-t "FOO": unknown record type'],
    [['create', '--domain-group', '3', '-t', 'FOO'], '-t "FOO": unknown record type'],
    [
      ['create', '--domain-group', 'three'],
      '--domain-group "three": expected a domain group\'s id, digits only',
    ],
    [['create', 'a.test', '-s', 'x'], '-s "x": server is not an IP address with an optional port and scheme'],
    [
      ['create', '192.0.2.1'],
      'NAME "192.0.2.1": is a server\'s address; did you forget -- after npm run task?',
    ],
    [['create', 'a.test', '-g', 'x'], '-g "x": expected a whole number'],
    [['create', 'a.test', '-c', '1m'], '-c "1m": expected a whole number of seconds'],
    [['create', 'a.test', '-c', '1', '-c', '2'], '-c: given more than once'],
    [['create', 'a.test', '--window', '08:00'], '--window "08:00": expected START,END'],
    [
      ['create', 'a.test', '--window', '08:00,25:00'],
      '--window "08:00,25:00": expected Unix seconds, an ISO 8601 date-time or HH:MM',
    ],
    [['create', 'a.test', '--service-type', 'a\tb'], '--service-type "a\\u{0009}b": has control characters'],
    [
      ['create', 'a.test', '--idempotency-key', 'a\tb'],
      '--idempotency-key "a\\u{0009}b": has control characters',
    ],
    [['create', 'a.test', '--key', 'k'], "Unknown option '--key'"],
  ])('refuses %j', (args, fault) => {
    expect(faultsOf(...args)).toEqual([fault]);
  });

  test.each([
    [['create', 'a.test', '--cycle=-1'], /^-c "-1": .*0$/],
    [['create', 'a.test', '-g', '0'], /^-g "0": .*1$/],
    [['create', 'a.test', '--domain-group', 'b', '--domain-group', '0'], /^--domain-group "0": .*1$/],
    [['create', 'a.test', '--idempotency-key', ''], /^--idempotency-key "": /],
  ])('refuses %j in the words of the contract', (args, fault) => {
    expect(faultsOf(...args).filter((line) => fault.test(line))).toHaveLength(1);
  });

  test('takes every option of create', () => {
    const args = ['a.test', 'b.test', '-t', 'MX', '-t', 'A', '-s', '192.0.2.1', '-g', '7', '-c', '300'];
    args.push('--domain-group', '3', '--service-type', 'dnsHijack', '--window', '1767225600, 2026-12-31');
    expect(requestOf('create', ...args, '--paused', '--idempotency-key', 'k')).toEqual({
      kind: 'create',
      task: {
        target: [
          { type: 'domain', rtype: 'MX', data: 'a.test' },
          { type: 'domain', rtype: 'A', data: 'a.test' },
          { type: 'domain', rtype: 'MX', data: 'b.test' },
          { type: 'domain', rtype: 'A', data: 'b.test' },
          { type: 'domain_group', rtype: 'MX', domain_group_id: 3 },
          { type: 'domain_group', rtype: 'A', domain_group_id: 3 },
        ],
        probe_data: { dns_servers: ['192.0.2.1'] },
        group_id: 7,
        cycle: 300,
        status: 0,
        service_type: 'dnsHijack',
        task_time: [1_767_225_600, '2026-12-31'],
        idempotency_key: 'k',
      },
    });
  });

  test('takes the options of the others', () => {
    expect(requestOf('list', '--enabled', '--limit', '7')).toEqual({ kind: 'list', status: 1, limit: 7 });
    expect(requestOf('list')).toEqual({ kind: 'list', status: undefined, limit: undefined });
    expect(requestOf('show', '7')).toEqual({ kind: 'show', taskId: '7' });
    expect(requestOf('results')).toEqual({ kind: 'results', filter: {}, limit: 50 });
    const span = ['7', '--from', '1767225600.5', '--to', '2026-12-31T00:00:00+08:00', '--limit', '5000'];
    const filter = { task_id: '7', from: 1_767_225_600.5, to: '2026-12-31T00:00:00+08:00' };
    expect(requestOf('slots', ...span)).toEqual({ kind: 'slots', filter, limit: 5000 });
    const choice = ['--agent', 'a-1', '--domain', 'a.test', '--status', 'LOST'];
    expect(requestOf('results', ...span, ...choice)).toEqual({
      kind: 'results',
      filter: { ...filter, agent_id: 'a-1', domain: 'a.test', status: 'LOST' },
      limit: 5000,
    });
  });

  test('changes a task once that is named twice', () => {
    expect(requestOf('delete', '7', '8', '7')).toEqual({
      kind: 'change',
      change: 'delete',
      taskIds: ['7', '8'],
    });
  });

  test('knows that JSON is asked for even where the rest is wrong', () => {
    for (const args of [
      ['list', '--json', '--bogus'],
      ['lost', '--json'],
      ['show', 'x', '--json'],
    ])
      expect(parseTaskArguments(args)).toMatchObject({ kind: 'faults', isJson: true });
  });
});
