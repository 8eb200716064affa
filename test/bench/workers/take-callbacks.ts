// Takes callbacks over HTTP, replies to each at once, and tells afterwards which ones came when.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { loopback } from '../../../infra/local-stack/start-on-free-port.ts';
import { type Arrival, callbackBody, callbackReply, sinkInputSchema } from '../contenders/callback-sink.ts';
import { serveWork } from '../harness/serve-work.ts';

const head = { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(callbackReply) };
/** Longer than a bench pauses: whoever calls decides how long a connection lasts. */
const keepAliveMs = 120_000;

let arrivals: Arrival[] = [];
let strange = 0;
let cpuBefore = process.cpuUsage();

const server = createServer({ keepAliveTimeout: keepAliveMs }, receive);

function receive(request: IncomingMessage, response: ServerResponse): void {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    const id = request.headers['webhook-id'];
    if (typeof id !== 'string' || request.method !== 'POST' || body !== callbackBody) strange += 1;
    else arrivals.push({ id, atMs: Date.now() });
    response.sendDate = false;
    response.writeHead(200, head).end(callbackReply);
  });
}

serveWork(sinkInputSchema, async ({ kind }) => {
  if (kind === 'take') return takeAll();
  server.listen(0, loopback);
  await once(server, 'listening');
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0 };
});

function takeAll(): { arrivals: Arrival[]; strange: number; cpuMs: number } {
  const { user, system } = process.cpuUsage(cpuBefore);
  const taken = { arrivals, strange, cpuMs: (user + system) / 1000 };
  arrivals = [];
  strange = 0;
  cpuBefore = process.cpuUsage();
  return taken;
}
