// Ends what a run left on its nodes, whatever it was, and proves that nothing is left.
import type { DispatchNode } from '../../../contracts/dispatch.ts';
import type { CleanRequest, NodeCleanup } from './player.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';
import { bindSshFiles, provideKnownHosts, type SshFiles, sandboxPaths } from './sandbox-paths.ts';
import { describeSsh } from './ssh-settings.ts';
import type { Programs } from './toolchain.ts';

export type CleanParts = SshFiles & { programs: Programs };

// Logging in is what takes the time, on both sides.
const maxAtOnce = 25;

/**
 * One answer for each node, in their order. A node that cannot be reached, or not before the time is up, is not clean. Where
 * the login is not root's and sudo(8) wants a password, only processes of that login are looked at.
 */
export async function cleanNodes(
  request: CleanRequest,
  options: { timeoutMs: number; signal?: AbortSignal },
  parts: CleanParts,
): Promise<NodeCleanup[]> {
  const { timeoutMs, signal } = options;
  // Whoever cleans up after another machine may not have played anything yet.
  await provideKnownHosts(parts.knownHostsFile);
  const timeUp = AbortSignal.timeout(timeoutMs);
  const end = signal === undefined ? timeUp : AbortSignal.any([timeUp, signal]);
  const answers: NodeCleanup[] = [];
  const waiting = request.nodes.entries();
  async function work(): Promise<void> {
    for (const [index, node] of waiting) answers[index] = await cleanNode(node, request, end, parts);
  }
  await Promise.all(Array.from({ length: Math.min(maxAtOnce, request.nodes.length) }, work));
  return answers;
}

async function cleanNode(
  node: DispatchNode,
  { runKey, user }: CleanRequest,
  end: AbortSignal,
  parts: CleanParts,
): Promise<NodeCleanup> {
  if (end.aborted) return { node: node.text, isClean: false, reason: 'there was no time for it' };
  const { programs, hostKeys } = parts;
  const options = describeSsh({
    keyFile: sandboxPaths.sshKey,
    knownHostsFile: sandboxPaths.knownHosts,
    hostKeys,
  }).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const sandbox = await startSandbox({
    bwrap: programs.bwrap,
    program: programs.ssh,
    args: ['-F', 'none', '-T', '-p', String(node.port), '-l', user, ...options, '--', node.address, command],
    env: { LC_ALL: 'C.UTF-8', HOME: '/tmp', PATH: '/usr/bin:/bin' },
    binds: [...programs.binds, ...bindSshFiles(parts)],
    input: describeCleanup(runKey),
  });
  const { exitCode } = await killOnAbort(sandbox, end);
  return { node: node.text, ...judge(sandbox, exitCode, end) };
}

async function killOnAbort(sandbox: Sandbox, end: AbortSignal): Promise<{ exitCode: number | null }> {
  const kill = (): void => sandbox.kill();
  end.addEventListener('abort', kill, { once: true });
  if (end.aborted) kill();
  const exit = await sandbox.exited;
  end.removeEventListener('abort', kill);
  return exit;
}

function judge(
  sandbox: Sandbox,
  exitCode: number | null,
  end: AbortSignal,
): Pick<NodeCleanup, 'isClean' | 'reason'> {
  const answer = /^probe-cleanup: (clean|left)(.*)$/m.exec(sandbox.output());
  if (answer?.[1] === 'clean') return { isClean: true, reason: answer[2]?.trim() ?? '' };
  if (answer?.[1] === 'left') return { isClean: false, reason: `left:${answer[2] ?? ''}` };
  if (end.aborted) return { isClean: false, reason: 'the node did not answer in time' };
  const said = sandbox.errors().trim().split('\n').at(-1);
  return { isClean: false, reason: said || `ssh ended with exit code ${exitCode}` };
}

/** Takes the script from standard input: its text, which names the run, is in no environment. */
const command =
  '/bin/sh -c \'script=$(cat); if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then exec sudo -n /bin/sh -c "$script" sh "$HOME"; fi; exec /bin/sh -c "$script" sh "$HOME"\'';

/**
 * POSIX sh with what every small system has. A process that is just starting a program has no environment for a moment, which
 * is why one look that finds nothing is not enough. `$1`: the home of the login. What modules were cut short leave there goes, too:
 * their parameters stand in it.
 */
function describeCleanup(runKey: string): string {
  if (!/^[\w-]+$/.test(runKey)) throw new RangeError('the key of a run is letters, digits, - and _');
  return `mark=PROBE_RUN_ID=${runKey}
find_marked() {
  found=
  for file in $(grep -l -s -F "$mark" /proc/[0-9]*/environ); do
    if tr '\\000' '\\n' 2>/dev/null < "$file" | grep -q -x -F "$mark"; then
      pid=\${file#/proc/}
      found="$found \${pid%/environ}"
    fi
  done
}
looks=0
clean=0
while [ "$looks" -lt 30 ]; do
  find_marked
  if [ -n "$found" ]; then
    clean=0
    kill -KILL $found 2>/dev/null
  else
    clean=$((clean + 1))
  fi
  if [ "$clean" -ge 3 ]; then
    rm -rf "$1"/.ansible/tmp/ansible-tmp-${runKey}-* /var/tmp/ansible-tmp-${runKey}-* /tmp/ansible-tmp-${runKey}-*
    if [ "$(id -u)" = 0 ]; then echo "probe-cleanup: clean"; else echo "probe-cleanup: clean as far as this login can see"; fi
    exit 0
  fi
  looks=$((looks + 1))
  sleep 0.05 2>/dev/null || sleep 1
done
names=
for pid in $found; do
  names="$names $pid ($(cat /proc/$pid/comm 2>/dev/null))"
done
echo "probe-cleanup: left$names"
exit 1
`;
}
