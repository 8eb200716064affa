// A service of the stand-in stack: ready at once, and made to fail on request.
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

function end(reason: string): void {
  console.log(`${process.env.STAND_IN_NAME} ends: ${reason}`);
  process.exit(0);
}

function log(event: Record<string, unknown>): void {
  console.log(JSON.stringify(event));
}

const fault = process.env.STAND_IN_FAULT;
if (fault === 'configuration') {
  console.error('FIRST: is missing');
  console.error('SECOND: expected a number');
  process.exit(1);
}

const crashMark = join(process.env.DATA_DIR ?? '', `${process.env.STAND_IN_NAME}.crash`);
if (existsSync(crashMark)) {
  console.error('crashed at the start');
  process.exit(4);
}

process.on('SIGTERM', () => {
  if (process.env.STAND_IN_STUBBORN === undefined) end('SIGTERM');
});
process.on('SIGINT', () => end('SIGINT'));
process.stdin.on('end', () => end('lifeline cut')).resume();

const server = createServer((request, response) => {
  if (request.url === '/crash-for-good') writeFileSync(crashMark, '');
  if (request.url?.startsWith('/crash')) {
    console.error('crashed on request');
    process.exit(3);
  }
  if (fault === 'unready') {
    response.statusCode = 503;
    response.end(JSON.stringify({ status: 'not ready', checks: { bus: false, disk: true, orders: false } }));
    return;
  }
  response.end('ok');
});
if (process.env.FIRST_FOLDER !== undefined)
  log({ level: 30, msg: 'keeps files', folder: process.env.FIRST_FOLDER });
log({ level: 50, msg: 'a fault that was overcome' });
log({ level: 40, msg: 'waiting for the bus', reason: 'nobody answers' });
log({ level: 30, msg: 'health and metrics' });
const host = process.env.HTTP_HOST || '127.0.0.1';
server.listen(Number(process.env.METRICS_PORT), host);

const apiPort = process.env.STAND_IN_NAME === 'second' ? process.env.SECOND_PORT : undefined;
if (apiPort !== undefined) {
  const raceMark = join(process.env.DATA_DIR ?? '', 'second.race');
  if (process.env.STAND_IN_RACE !== undefined && !existsSync(raceMark)) {
    writeFileSync(raceMark, apiPort);
    console.error(`SECOND_PORT: port ${apiPort} of ${host} is taken`);
    process.exit(1);
  }
  createServer((_request, response) => void response.end('the API')).listen(Number(apiPort), host);
}
