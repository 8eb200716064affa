// Nodes and a player for the tests of a file, with the events of each play at hand.
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, vi } from 'vitest';
import type { DispatchNode } from '../../contracts/dispatch.ts';
import { systemErrorCode } from '../../infra/error-text.ts';
import { createLogger } from '../../infra/logger.ts';
import type { JsonObject } from '../../services/dispatch/content/json.ts';
import {
  createPlayer,
  type Play,
  type PlayEnd,
  type PlayEvent,
  type Player,
  type PlayerOptions,
  type TaskEvent,
} from '../../services/dispatch/play/player.ts';
import { type SshNode, type SshNodes, startSshNodes } from './ssh-nodes.ts';

export type PlayRecord = {
  runKey: string;
  events: PlayEvent[];
  tasks: TaskEvent[];
  /** Resolves with the first event of a task that fits, past or future. */
  waitForTask(fits: (task: TaskEvent) => boolean): Promise<TaskEvent>;
  end: Promise<PlayEnd>;
};

export type PlayPlatform = {
  nodes: SshNode[];
  /** The login of the nodes. */
  user: string;
  player: Player;
  folder: string;
  createPlayer(options?: Partial<PlayerOptions>): Player;
  /** Starts a play of tasks, or of what `play` says, on all nodes. */
  start(
    tasks: JsonObject[],
    play?: Partial<Play>,
    options?: { signal?: AbortSignal; player?: Player },
  ): PlayRecord;
};

/** For the tests of the present file or `describe`; `addresses` are this file's own. */
export function usePlayPlatform(addresses: readonly string[]): PlayPlatform {
  let folder = '';
  let ssh: SshNodes | undefined;
  let player: Player | undefined;
  // Ansible alone takes a second to begin, and several on a machine with much else to do.
  vi.setConfig({ testTimeout: 60_000 });
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'probe-task-play-'));
    ssh = await startSshNodes({ addresses, folder });
    player = makePlayer();
  });
  afterAll(async () => {
    await ssh?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function started(): SshNodes {
    if (ssh === undefined) throw new Error('the nodes are there from `beforeAll` on');
    return ssh;
  }

  function makePlayer(options: Partial<PlayerOptions> = {}): Player {
    const { keyFile, knownHostsFile } = started();
    return createPlayer({
      env: process.env,
      folder: join(folder, 'dispatch'),
      sshKeyFile: keyFile,
      knownHostsFile,
      hostKeys: 'strict',
      roleFolders: [],
      logger: createLogger('test', 'silent'),
      ...options,
    });
  }

  return {
    get nodes() {
      return started().nodes;
    },
    get user() {
      return started().user;
    },
    get player() {
      return player ?? makePlayer();
    },
    get folder() {
      return folder;
    },
    createPlayer: makePlayer,
    start(tasks, given = {}, { signal = new AbortController().signal, player: other = player } = {}) {
      const record = createRecord();
      const play: Play = {
        runKey: `run-${randomUUID()}`,
        nodes: started().nodes.map(toDispatchNode),
        user: started().user,
        forks: 5,
        timeoutMs: 55_000,
        content: { kind: 'tasks', tasks },
        params: {},
        secretTexts: [],
        ...given,
      };
      const end = (other ?? makePlayer()).play(play, { signal, onEvents: record.take });
      return { ...record, runKey: play.runKey, end };
    },
  };
}

export function toDispatchNode({ address, port, text }: DispatchNode): DispatchNode {
  return { address, port, text };
}

/** Processes of this machine that see the files of the run: all that its sandbox holds. */
export async function listLocalProcesses(runKey: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => ((await readIfThere(`/proc/${pid}/mountinfo`)).includes(runKey) ? [pid] : [])),
  );
  return found.flat();
}

function createRecord(): Pick<PlayRecord, 'events' | 'tasks' | 'waitForTask'> & {
  take(events: PlayEvent[]): Promise<void>;
} {
  const events: PlayEvent[] = [];
  const tasks: TaskEvent[] = [];
  const watchers = new Set<(task: TaskEvent) => void>();
  return {
    events,
    tasks,
    async take(batch) {
      events.push(...batch);
      const taken = batch.filter((event) => event.kind === 'task');
      tasks.push(...taken);
      for (const task of taken) for (const watch of watchers) watch(task);
    },
    waitForTask(fits) {
      const { promise, resolve } = Promise.withResolvers<TaskEvent>();
      const known = tasks.find(fits);
      if (known !== undefined) resolve(known);
      watchers.add((task) => {
        if (fits(task)) resolve(task);
      });
      return promise;
    },
  };
}

/** Processes end while they are looked at. */
async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EINVAL', 'EACCES'].includes(systemErrorCode(error) ?? '')) return '';
    throw error;
  }
}
