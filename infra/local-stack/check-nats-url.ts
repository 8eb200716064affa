// Says early, and in one line, that a bus given by NATS_URL is not there.
import { hideLogin } from '../hide-login.ts';
import { readServerName } from './nats-server.ts';
import { StackError } from './stack-error.ts';

const natsPort = 4222;

/**
 * Resolves when one of the servers in the URL (several are parted by commas) greets; rejects with `SERVER_FAILED`
 * otherwise.
 */
export async function checkNatsUrl(natsUrl: string): Promise<void> {
  for (const part of natsUrl.split(',')) {
    const url = URL.parse(part.trim());
    if (url === null || url.hostname === '') continue;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if ((await readServerName(host, Number(url.port) || natsPort)) !== null) return;
  }
  throw new StackError('SERVER_FAILED', `NATS_URL: no NATS server answers at ${hideLogin(natsUrl)}`);
}
