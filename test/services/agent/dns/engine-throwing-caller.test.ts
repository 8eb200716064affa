// A caller whose handling of a resolution throws: its own fault, and nobody else's.
import { expect, onTestFinished, test } from 'vitest';
import type { DnsServer } from '../../../../contracts/dns-server.ts';
import { encodeDomainName } from '../../../../contracts/domain-name.ts';
import { textReply } from '../../../helpers/scripted-dns-server.ts';
import { ask, engineFor, serverFor, txt } from './engine-setup.ts';

/** Takes uncaught exceptions until the test ends, in place of the runner. */
function takeUncaught(): unknown[] {
  const faults: unknown[] = [];
  const take = (fault: unknown) => void faults.push(fault);
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException').on('uncaughtException', take);
  onTestFinished(() => {
    process.removeListener('uncaughtException', take);
    for (const other of others) process.on('uncaughtException', other);
  });
  return faults;
}

function query(server: DnsServer) {
  const encoded = encodeDomainName('a.example');
  if (!encoded.ok) throw new Error(encoded.reason);
  return { server, name: encoded.wire, rtype: txt };
}

test('queries beside it end as they would, and its fault is uncaught', async () => {
  const faults = takeUncaught();
  const silent = await serverFor(() => undefined);
  const engine = engineFor();
  const target = silent.target('udp');
  engine.resolve(query(target), { deadlineAt: performance.now() + 100, lane: 'throwing' }, () => {
    throw new Error('of the caller');
  });
  expect(await ask(engine, target, { budgetMs: 150 })).toMatchObject({ status: 'TIMEOUT' });
  expect(faults).toMatchObject([{ message: 'of the caller' }]);
});

test('a stop ends all others, and closes every socket', async () => {
  const faults = takeUncaught();
  const arrived = Promise.withResolvers<void>();
  const silent = await serverFor(() => arrived.resolve());
  const engine = engineFor();
  const target = silent.target('udp');
  engine.resolve(query(target), { deadlineAt: performance.now() + 5000, lane: 'throwing' }, () => {
    throw new Error('of the caller');
  });
  const others = [1, 2, 3].map(() => ask(engine, target));
  await arrived.promise;
  await engine.stop();
  for (const { status } of await Promise.all(others)) expect(status).toBe('NETWORK_ERROR');
  expect(engine.stats()).toMatchObject({ inFlight: 0, udpSockets: 0 });
  expect(faults).toMatchObject([{ message: 'of the caller' }]);
});

test('its replies are answers for the others', async () => {
  const faults = takeUncaught();
  const server = await serverFor((asked) => asked.send(textReply(asked)));
  const engine = engineFor();
  engine.resolve(
    query(server.target('udp')),
    { deadlineAt: performance.now() + 5000, lane: 'throwing' },
    () => {
      throw new Error('of the caller');
    },
  );
  expect(await ask(engine, server.target('udp'))).toMatchObject({ status: 'NOERROR' });
  expect(faults).toHaveLength(1);
});
