// A player whose plays a test ends by hand: for what a replica makes of plays, whatever they are.
import type {
  NodeCleanup,
  Play,
  PlayEnd,
  PlayEvent,
  Player,
} from '../../../../services/dispatch/play/player.ts';

export type ScriptedPlay = {
  play: Play;
  signal: AbortSignal;
  /** Resolves when they were taken. */
  tell(...events: PlayEvent[]): Promise<void>;
  end(end: PlayEnd): void;
};

export type ScriptedPlayer = Player & {
  readonly plays: ScriptedPlay[];
  /** Run keys, in the order of their clean-ups. */
  readonly cleaned: string[];
  /** What a play that is cut waits for, before it is gone. */
  linger: Promise<void>;
  /** What a clean-up resolves with. */
  clean: (play: Pick<Play, 'nodes'>, signal: AbortSignal | undefined) => Promise<NodeCleanup[]>;
  /** The first play of this run that is under way. */
  playOf(runKey: string): ScriptedPlay | undefined;
};

/** A play that is cut ends as `stopped`, as a real one does. */
export function createScriptedPlayer(): ScriptedPlayer {
  const plays: ScriptedPlay[] = [];
  const cleaned: string[] = [];
  const scripted: ScriptedPlayer = {
    plays,
    cleaned,
    linger: Promise.resolve(),
    clean: async ({ nodes }) => nodes.map(({ text }) => ({ node: text, isClean: true, reason: '' })),
    playOf: (runKey) => plays.find(({ play }) => play.runKey === runKey),
    findFault: async () => undefined,
    play(play, { onEvents, signal }) {
      const { promise, resolve } = Promise.withResolvers<PlayEnd>();
      signal.addEventListener('abort', () => void scripted.linger.then(() => resolve({ kind: 'stopped' })));
      plays.push({ play, signal, tell: (...events) => onEvents(events), end: resolve });
      return promise;
    },
    cleanNodes(play, { signal }) {
      cleaned.push(play.runKey);
      return scripted.clean(play, signal);
    },
  };
  return scripted;
}
