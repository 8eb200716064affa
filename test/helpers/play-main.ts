// A process that plays what its environment says, for tests that kill it. PLAY and PLAYER are JSON of the test's own.
import { z } from 'zod';
import { createLogger } from '../../infra/logger.ts';
import { workSchema } from '../../services/dispatch/content/work.ts';
import { createPlayer } from '../../services/dispatch/play/player.ts';

const playSchema = workSchema.extend({
  runKey: z.string(),
  nodes: z.array(z.object({ address: z.string(), port: z.int(), text: z.string() })),
  user: z.string(),
  forks: z.int(),
  timeoutMs: z.int(),
});
const playerSchema = z.object({
  folder: z.string(),
  sshKeyFile: z.string(),
  knownHostsFile: z.string(),
  hostKeys: z.enum(['strict', 'accept-new']),
  roleFolders: z.array(z.string()),
});

const play = playSchema.parse(JSON.parse(process.env.PLAY ?? ''));
const player = createPlayer({
  env: process.env,
  ...playerSchema.parse(JSON.parse(process.env.PLAYER ?? '')),
  logger: createLogger('play', 'info'),
});
const end = await player.play(play, {
  signal: new AbortController().signal,
  onEvents: async (events) => console.log(JSON.stringify(events)),
});
console.log(JSON.stringify(end));
