// Callbacks without a service: `undici.request` in a loop, with the connections, headers and body of ours.
import { Agent, request } from 'undici';
import { version } from '../../../infra/version.ts';
import { requestsSchema } from '../contenders/callback-backlog.ts';
import { callbackBody, callbackReply } from '../contenders/callback-sink.ts';
import { serveWork } from '../harness/serve-work.ts';

const agents = new Map<number, Agent>();

serveWork(requestsSchema, async ({ url, count, inFlight }) => {
  const dispatcher = agents.get(inFlight) ?? new Agent({ connections: inFlight });
  agents.set(inFlight, dispatcher);
  let left = count;
  let right = 0;

  async function callOnAndOn(): Promise<void> {
    while (left > 0) {
      left -= 1;
      const { statusCode, body } = await request(url, {
        dispatcher,
        method: 'POST',
        headers: {
          'webhook-id': `bare_${left}`,
          'webhook-timestamp': Math.floor(Date.now() / 1000).toString(),
          'user-agent': `probe-task-crontab/${version}`,
          'content-type': 'application/json',
        },
        body: callbackBody,
      });
      if ((await body.text()) === callbackReply && statusCode === 200) right += 1;
    }
  }

  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: inFlight }, callOnAndOn));
  const elapsedMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { elapsedMs, right, cpuMs: (user + system) / 1000 };
});
