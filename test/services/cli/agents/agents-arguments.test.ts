import { describe, expect, test } from 'vitest';
import { parseAgentsArguments } from '../../../../services/cli/agents/agents-arguments.ts';

const place = ['--region', '86,440000,440400,电信'];
const deploy = ['deploy', ...place, '--nodes', '10.0.0.1'];

function readFaults(args: string[]): string[] {
  const parsed = parseAgentsArguments(args);
  return parsed.kind === 'faults' ? parsed.faults : [];
}

describe('what is understood', () => {
  test('a deployment with its region, nodes and settings', () => {
    const more = ['--nodes', '10.0.0.2:2222, 10.0.0.3', '--groups', '1,2', '--forks', '5', '--json'];
    expect(parseAgentsArguments([...deploy, ...more])).toMatchObject({
      kind: 'run',
      isJson: true,
      request: {
        kind: 'roll-out',
        change: 'deploy',
        region: { country: '86', province: '440000', city: '440400', carrier: '电信' },
        nodes: ['10.0.0.1', '10.0.0.2:2222', '10.0.0.3'],
        settings: { groups: ['1', '2'] },
        user: null,
        forks: 5,
        batch: 100,
        isKeepingOn: false,
      },
    });
  });

  test('a plan, of whose regions some are meant', () => {
    expect(parseAgentsArguments(['upgrade', '--plan', 'regions.yaml', '--region', '86'])).toMatchObject({
      kind: 'run',
      request: {
        planFile: 'regions.yaml',
        region: { country: '86', province: '*', city: '*', carrier: '*' },
      },
    });
  });

  test('a run to follow, by its number', () => {
    expect(parseAgentsArguments(['follow', '12'])).toMatchObject({
      kind: 'run',
      request: { kind: 'known-run', action: 'follow', id: 12 },
    });
  });

  test('a call for help, wherever it stands', () => {
    expect([['--help'], ['deploy', '-h']].map((args) => parseAgentsArguments(args).kind)).toEqual([
      'help',
      'help',
    ]);
  });
});

describe('what is refused', () => {
  test.each<[string[], string]>([
    [[], 'COMMAND is missing: expected deploy,'],
    [['frob'], 'COMMAND "frob": expected deploy,'],
    [['deploy', ...place], '--nodes or --plan is missing'],
    [[...deploy, '--plan', 'x'], '--nodes and --plan: expected one of them'],
    [['deploy', '--nodes', '10.0.0.1'], '--region is missing'],
    [['deploy', '--nodes', '10.0.0.1', '--region', '86,440000'], '--region: expected all of'],
    [['deploy', '--nodes', '10.0.0.1', '--region', '1,2,3,4,5'], '--region "1,2,3,4,5": expected COUNTRY,'],
    [[...deploy, '10.0.0.2'], '"10.0.0.2": deploy takes options only'],
    [[...deploy, '--forks', '0'], '--forks "0": expected a whole number from 1 to 1000'],
    [[...deploy, '--batch', '201'], '--batch "201": expected a whole number from 1 to 200'],
    [[...deploy, '--nats-url', 'nats://u:p@h'], '--nats-url: a login does not belong into a command line'],
    [[...deploy, '--directory', '/a', '--directory', '/b'], '--directory: given more than once'],
    [['upgrade', '--nodes', '10.0.0.1', '--groups', '1'], '--groups: only deploy takes it'],
    [['restart', '--nodes', '10.0.0.1', ...place], '--region: only deploy and --plan take it'],
    [['follow'], 'RUN is missing'],
    [['cancel', 'x'], 'RUN "x": expected the number of a run'],
    [['list', 'x'], '"x": list takes options only'],
    [[...deploy, '--unheard-of'], "Unknown option '--unheard-of'"],
  ])('%j: %s', (args, fault) => {
    expect(readFaults(args)).toEqual([expect.stringContaining(fault)]);
  });

  test('a login of a URL is not repeated', () => {
    expect(readFaults([...deploy, '--nats-url', 'nats://user:secret@host']).join()).not.toContain('secret');
  });
});
