// A worker thread that comes to what the octets say.
import { setTimeout as pause } from 'node:timers/promises';

type Task = { octets: Uint8Array };

export async function compute({ octets }: Task): Promise<Uint8Array> {
  const word = new TextDecoder().decode(octets);
  if (word === 'exit') process.exit(3);
  if (word === 'throw') throw new Error('a fault of the engine');
  if (word === 'endless') await pause(2 ** 30);
  if (word === 'memory') {
    // Little by little: a list that grows would take the process with it.
    for (let kept = {}; ; ) kept = { kept };
  }
  return octets;
}

export const check = compute;
