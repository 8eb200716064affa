// One play of ansible-playbook in its sandbox: start → follow its events → wait for its end, or end it.
import { describeError } from '../../../infra/error-text.ts';
import type { Logger } from '../../../infra/logger.ts';
import { followEvents } from './follow-events.ts';
import { listSecretForms, maskText } from './mask-secrets.ts';
import { describeEnvironment, describePlayFiles, pathOfFile, playArguments } from './play-files.ts';
import type { Play, PlayEnd, PlayEvent, PlayerOptions } from './player.ts';
import type { RunFolder, RunFolders } from './run-folder.ts';
import { type Bind, type Sandbox, startSandbox } from './sandbox.ts';
import { bindSshFiles, pluginFolder, provideKnownHosts, sandboxPaths } from './sandbox-paths.ts';
import type { Programs } from './toolchain.ts';

export type PlayParts = Omit<PlayerOptions, 'folder' | 'logger'> & {
  programs: Programs;
  folders: RunFolders;
  logger: Logger;
};

const interruptGraceMs = 5000;
const maxLastWords = 2048;

/** As `Player.play` says, where all programs are there. */
export async function playContent(
  play: Play,
  options: { onEvents(events: PlayEvent[]): Promise<void>; signal: AbortSignal },
  parts: PlayParts,
): Promise<PlayEnd> {
  const { folders, hostKeys, outputLimits = {}, knownHostsFile } = parts;
  const secretForms = listSecretForms(play.secretTexts);
  let folder: RunFolder;
  try {
    const files = describePlayFiles(play, { hostKeys, secrets: secretForms, outputLimits });
    await provideKnownHosts(knownHostsFile);
    folder = await folders.open(play.runKey, files);
  } catch (error) {
    return { kind: 'not_started', reason: maskText(describeError(error), secretForms) };
  }
  try {
    return await playInFolder(play, folder, secretForms, options, parts);
  } finally {
    await folder.remove().catch((error: unknown) => {
      parts.logger.error({ err: error, run: play.runKey }, 'the files of a play could not be removed');
    });
  }
}

async function playInFolder(
  play: Play,
  folder: RunFolder,
  secretForms: string[],
  { onEvents, signal }: { onEvents(events: PlayEvent[]): Promise<void>; signal: AbortSignal },
  parts: PlayParts,
): Promise<PlayEnd> {
  const { programs, logger, roleFolders } = parts;
  if (signal.aborted) return { kind: 'stopped' };
  const sandbox = await startSandbox({
    bwrap: programs.bwrap,
    program: programs.ansiblePlaybook,
    args: playArguments,
    env: describeEnvironment(play, roleFolders.length),
    binds: describeBinds(play, folder, parts),
    folder: sandboxPaths.play,
  });
  let hasStarted = false;
  const cut = createCut(sandbox, { timeoutMs: play.timeoutMs, signal, isActing: () => hasStarted });
  try {
    const nodes = new Set(play.nodes.map(({ text }) => text));
    await followEvents(
      { file: folder.events, nodes, secretForms, ended: sandbox.exited },
      {
        onStart() {
          hasStarted = true;
        },
        onEvents,
        signal,
        logger,
      },
    );
  } catch (error) {
    // Nobody would learn what it does.
    sandbox.kill();
    throw error;
  } finally {
    await sandbox.exited;
  }
  const { exitCode } = await sandbox.exited;
  const reason = cut.reason();
  if (reason !== undefined) return { kind: reason };
  const lastWords = maskText(sandbox.errors(), secretForms).trim().slice(-maxLastWords);
  if (!hasStarted && /^bwrap: /.test(lastWords)) return { kind: 'not_started', reason: lastWords };
  return { kind: 'ended', exitCode, lastWords, hasActed: hasStarted };
}

/** Ends the sandbox on `signal` or when the time is up: asks Ansible first, if it has begun to act. */
function createCut(
  sandbox: Sandbox,
  { timeoutMs, signal, isActing }: { timeoutMs: number; signal: AbortSignal; isActing(): boolean },
): { reason(): 'stopped' | 'timed_out' | undefined } {
  let reason: 'stopped' | 'timed_out' | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  function cut(why: 'stopped' | 'timed_out'): void {
    if (reason !== undefined) return;
    reason = why;
    if (!isActing()) {
      sandbox.kill();
      return;
    }
    sandbox.interrupt();
    killTimer = setTimeout(() => sandbox.kill(), interruptGraceMs);
  }
  const stop = (): void => cut('stopped');
  const timer = setTimeout(() => cut('timed_out'), timeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  void sandbox.exited.then(() => {
    clearTimeout(timer);
    clearTimeout(killTimer);
    signal.removeEventListener('abort', stop);
  });
  return { reason: () => reason };
}

function describeBinds(
  { controllerFiles = {} }: Play,
  folder: RunFolder,
  { programs, roleFolders, sshKeyFile, knownHostsFile, hostKeys }: PlayParts,
): Bind[] {
  return [
    ...programs.binds,
    { from: folder.files, to: sandboxPaths.play },
    { from: folder.events, to: sandboxPaths.events, isWritable: true },
    { from: pluginFolder, to: sandboxPaths.plugins },
    ...bindSshFiles({ sshKeyFile, knownHostsFile, hostKeys }),
    ...roleFolders.map((from, index) => ({ from, to: `${sandboxPaths.roles}/${index}`, isOptional: true })),
    ...Object.values(controllerFiles).map((from, index) => ({ from, to: pathOfFile(index, from) })),
  ];
}
