// One play of Ansible from its files to its end, and the clean-up of nodes after plays that were cut short.
import { join } from 'node:path';
import type { DispatchNode, DispatchResult } from '../../../contracts/dispatch.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { Content } from '../content/content.ts';
import type { JsonValue } from '../content/json.ts';
import { cleanNodes } from './clean-nodes.ts';
import { playContent } from './play-content.ts';
import type { OutputLimits } from './play-files.ts';
import { createRunFolders } from './run-folder.ts';
import { createToolchain, type Programs } from './toolchain.ts';

export type Play = {
  /** Letters, digits, `-` and `_`; no other run may have it. */
  runKey: string;
  nodes: DispatchNode[];
  user: string;
  forks: number;
  timeoutMs: number;
  content: Content;
  params: Record<string, JsonValue>;
  /** Blotted out wherever they appear in what comes back. */
  secretTexts: string[];
  /** Files of this machine that a role of ours reads: variable → absolute path; handed over as extra variables. */
  controllerFiles?: Record<string, string>;
};

/** What became of one Ansible task on one node. */
export type TaskEvent = {
  kind: 'task';
  /** The node's text. */
  node: string;
  /** Name of the Ansible task. */
  action: string;
  module: string;
  result: DispatchResult;
  isIgnored: boolean;
  isChanged: boolean;
  /** Milliseconds since the epoch, by the clock of this machine. */
  startedAt: number;
  endedAt: number;
  /** `cmd`, `rc`, `stdout`, `stderr`, `msg` and what else the module said; cut short, without secrets. */
  detail: Record<string, JsonValue>;
};

export type NodeStats = {
  ok: number;
  changed: number;
  failures: number;
  unreachable: number;
  skipped: number;
  rescued: number;
  ignored: number;
};

export type PlayEvent =
  | TaskEvent
  /** The first Ansible task on a node begins; milliseconds since the epoch. */
  | { kind: 'begin'; node: string; at: number }
  | { kind: 'stats'; nodes: Record<string, NodeStats> };

export type PlayEnd =
  /**
   * `exitCode` null: ended by a signal that was not ours. `lastWords`: the end of its standard error, without secrets.
   * `hasActed`: it had read the play, and may have come to the nodes.
   */
  | { kind: 'ended'; exitCode: number | null; lastWords: string; hasActed: boolean }
  | { kind: 'stopped' }
  | { kind: 'timed_out' }
  | { kind: 'not_started'; reason: string };

export type NodeCleanup = { node: string; isClean: boolean; reason: string };
export type CleanRequest = Pick<Play, 'runKey' | 'nodes' | 'user'>;

export type Player = {
  /**
   * Undefined when everything needed is there; else what is missing and how to get it. Remembered for some seconds when
   * something is missing, and for good when nothing is.
   */
  findFault(): Promise<string | undefined>;
  /**
   * Plays the content on its nodes. Events come in their order, in batches, at most 250 ms after they happened; a batch
   * that is not taken (`onEvents` rejects) is offered again, for some seconds more when the play was stopped. Resolves when
   * the process tree of this machine is gone and all events were taken.
   */
  play(
    play: Play,
    options: { onEvents(events: PlayEvent[]): Promise<void>; signal: AbortSignal },
  ): Promise<PlayEnd>;
  /** Kills what the run left on its nodes and proves that nothing is left; one answer for each node, in their order. */
  cleanNodes(
    request: CleanRequest,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<NodeCleanup[]>;
};

export type PlayerOptions = {
  /** Holds `runs/`, one folder for each play under way. */
  folder: string;
  sshKeyFile: string;
  knownHostsFile: string;
  /** Whether nodes that are not in the file yet are added to it, or refused. */
  hostKeys: 'strict' | 'accept-new';
  /** Folders of roles, in the order of search; those that do not exist are left out. */
  roleFolders: string[];
  outputLimits?: Partial<OutputLimits>;
  /** Whose PATH the programs are looked for on. */
  env: NodeJS.ProcessEnv;
  logger: Logger;
};

/** Starts nothing. What plays of a dead process left in the folder is deleted with the first call. */
export function createPlayer(options: PlayerOptions): Player {
  const { folder, logger } = options;
  const toolchain = createToolchain(options.env);
  const folders = createRunFolders(join(folder, 'runs'), logger);
  let cleared: Promise<void> | undefined;

  async function provide(): Promise<Programs | string> {
    cleared ??= folders.removeLeftovers().catch((error: unknown) => {
      logger.warn({ err: error }, 'what plays of a dead process left cannot be removed');
    });
    await cleared;
    return toolchain.provide();
  }

  return {
    async findFault() {
      const programs = await provide();
      return typeof programs === 'string' ? programs : undefined;
    },
    async play(play, { onEvents, signal }) {
      const programs = await provide();
      if (typeof programs === 'string') return { kind: 'not_started', reason: programs };
      return playContent(play, { onEvents, signal }, { ...options, programs, folders });
    },
    async cleanNodes(request, limits) {
      const programs = await provide();
      if (typeof programs !== 'string') return cleanNodes(request, limits, { ...options, programs });
      return request.nodes.map(({ text }) => ({ node: text, isClean: false, reason: programs }));
    },
  };
}
