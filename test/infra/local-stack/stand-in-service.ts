// A service of the stand-in stack: ready at once, and made to fail on request.
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

function end(reason: string): void {
  console.log(`${process.env.STAND_IN_NAME} ends: ${reason}`);
  process.exit(0);
}

if (process.env.STAND_IN_FAULT !== undefined) {
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
  response.end('ok');
});
server.listen(Number(process.env.METRICS_PORT), '127.0.0.1');
