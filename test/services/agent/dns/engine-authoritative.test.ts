// The engine against a real authoritative server: truncation, TCP, error rcodes, many names at once.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DnsServer } from '../../../../contracts/dns-server.ts';
import { startAuthoritativeServer } from '../../../helpers/authoritative-server.ts';
import { ask, engineFor } from './engine-setup.ts';

const longStrings = Array.from({ length: 20 }, (_, index) => String(index).padStart(200, 'x'));

const zone = `
$TTL 300
@     IN SOA ns1 hostmaster 1 7200 3600 1209600 3600
@     IN NS  ns1
ns1   IN A   192.0.2.53
www   IN A   192.0.2.1
www   IN AAAA 2001:db8::1
alias IN CNAME www
short IN TXT "short"
long  IN TXT ${longStrings.map((text) => `"${text}"`).join(' ')}
*.wild IN A  192.0.2.7
`;

const a = 1;
const aaaa = 28;

describe('an engine that asks a real authoritative server', () => {
  let running: Awaited<ReturnType<typeof startAuthoritativeServer>>;
  let folder: string;
  const target = (transport: 'udp' | 'tcp'): DnsServer => {
    const { address, port } = running;
    return { transport, address, family: 4, port };
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'engine-zone-'));
    const file = join(folder, 'engine.test.zone');
    await writeFile(file, zone);
    running = await startAuthoritativeServer({ zones: [{ name: 'engine.test', file }] });
  }, 120_000);

  afterAll(async () => {
    await running?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(['udp', 'tcp'] as const)('reads records and flags over %s', async (transport) => {
    const resolution = await ask(engineFor(), target(transport), { name: 'alias.engine.test', rtype: a });
    expect(resolution).toMatchObject({ status: 'NOERROR', transport, truncated: false, tries: 1 });
    expect(resolution.flags).toContain('aa');
    expect(resolution.answer.map(({ rdtype, result }) => `${rdtype} ${result}`)).toEqual([
      'CNAME www.engine.test.',
      'A 192.0.2.1',
    ]);
  });

  test('has the whole of an answer that is too large for a datagram, over TCP', async () => {
    const resolution = await ask(engineFor(), target('udp'), { name: 'long.engine.test' });
    expect(resolution).toMatchObject({ status: 'NOERROR', transport: 'tcp', truncated: true, tries: 2 });
    expect(resolution.answer.map(({ result }) => result)).toEqual([
      longStrings.map((text) => `"${text}"`).join(' '),
    ]);
    expect(resolution.delayMs).toBeGreaterThan(0);
  });

  test.each([
    ['nowhere.engine.test', 'NXDOMAIN'],
    ['elsewhere.test', 'REFUSED'],
  ])('reports %s as %s', async (name, status) => {
    expect(await ask(engineFor(), target('udp'), { name, rtype: a })).toMatchObject({ status, tries: 1 });
  });

  test('reports a name without records of the type as NOERROR with the SOA as authority', async () => {
    const resolution = await ask(engineFor(), target('udp'), { name: 'short.engine.test', rtype: aaaa });
    expect(resolution).toMatchObject({ status: 'NOERROR', answer: [], authority: [{ rdtype: 'SOA' }] });
  });

  test.each(['udp', 'tcp'] as const)(
    'gives each of 5,000 names its own answer over %s',
    async (transport) => {
      const engine = engineFor();
      const names = Array.from({ length: 5_000 }, (_, index) => `n${index}.wild.engine.test`);
      const resolutions = await Promise.all(
        names.map((name, index) =>
          ask(engine, target(transport), { name, rtype: a, lane: index % 5, budgetMs: 20_000 }),
        ),
      );
      expect(resolutions.map(({ answer }) => answer[0]?.name)).toEqual(names.map((name) => `${name}.`));
      expect(engine.stats()).toMatchObject({
        sent: 5_000,
        mismatched: 0,
        duplicate: 0,
        late: 0,
        malformed: 0,
      });
    },
  );
});
