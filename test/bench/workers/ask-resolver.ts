// Asks names through Node's own dns.Resolver, and looks at every answer.
import { Resolver } from 'node:dns';
import { askNames } from '../contenders/ask-names.ts';
import { askSchema } from '../contenders/name-asker.ts';
import { serveWork } from '../harness/serve-work.ts';

serveWork(askSchema, async ({ server, names, address, load, seconds }) => {
  const resolver = new Resolver();
  resolver.setServers([`${server.address}:${server.port}`]);
  // Calls back instead of promising: the faster of its two forms.
  const answers = await askNames({ load, seconds, nameCount: names.length }, (index, done) => {
    resolver.resolve4(names[index] ?? '', (error, addresses) => {
      done({
        fault: error === null ? faultOf(addresses, address) : (error.code ?? error.message),
        delayMs: 0,
      });
    });
  });
  return { ...answers, sent: null };
});

function faultOf(addresses: string[], address: string): string | null {
  return addresses.length === 1 && addresses[0] === address ? null : `wrong answer ${addresses.join(' ')}`;
}
