// Plays that are cut short, from both sides: nothing of them is left here, and clean-up leaves nothing on the nodes.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryFolder } from '../../../../infra/local-stack/data-folder.ts';
import { listLocalProcesses, toDispatchNode, usePlayPlatform } from '../../../helpers/play-platform.ts';
import { spawnProgram } from '../../../helpers/processes.ts';

const platform = usePlayPlatform(['127.0.12.1', '127.0.12.2']);
const closed = { address: '127.0.12.3', port: 1, text: '127.0.12.3:1' };

// Neither a hangup nor the end of its terminal ends these.
const stubborn = [
  { name: 'begin', shell: 'nohup setsid sleep 3171 > /dev/null 2>&1 &' },
  { name: 'hang', raw: "trap '' HUP INT TERM; while :; do sleep 3172; done" },
];

function listRemote(): Promise<string[]> {
  return Promise.all(platform.nodes.map((node) => node.processes())).then((found) =>
    found.flat().map(({ cmd }) => cmd),
  );
}

async function cleanAll(runKey: string) {
  const nodes = [...platform.nodes.map(toDispatchNode), closed];
  return platform.player.cleanNodes({ runKey, nodes, user: platform.user }, { timeoutMs: 20_000 });
}

const allClean = () => [
  ...platform.nodes.map(({ text }) => ({
    node: text,
    isClean: true,
    reason: expect.stringMatching(/^(as far as this login can see)?$/),
  })),
  { node: closed.text, isClean: false, reason: expect.stringContaining('Connection refused') },
];

test('a stop leaves nothing here, and clean-up nothing on the nodes', async () => {
  const stop = new AbortController();
  const record = platform.start(stubborn, {}, { signal: stop.signal });
  await expect.poll(() => listRemote(), { timeout: 50_000 }).toSatisfy(hasBothSleeps);
  expect(await listLocalProcesses(record.runKey)).not.toEqual([]);
  stop.abort();
  expect(await record.end).toEqual({ kind: 'stopped' });
  expect(await listLocalProcesses(record.runKey)).toEqual([]);
  expect(await listRemote()).not.toEqual([]);
  const other = await platform.nodes[0]?.run(
    'PROBE_RUN_ID=another nohup setsid sleep 3173 > /dev/null 2>&1 &',
  );
  expect(other?.exitCode).toBe(0);
  expect(await cleanAll(record.runKey)).toEqual(allClean());
  expect(await listRemote()).toEqual(['sleep 3173']);
  expect(await cleanAll('another')).toEqual(allClean());
  expect(await listRemote()).toEqual([]);
});

function hasBothSleeps(commands: string[]): boolean {
  return ['sleep 3171', 'sleep 3172'].every((sleep) => commands.filter((cmd) => cmd === sleep).length === 2);
}

test('a play ends when its time is up, and clean-up removes the files of its modules', async () => {
  const nodes = platform.nodes.slice(0, 1);
  const record = platform.start([{ command: 'sleep 3174' }], { nodes, timeoutMs: 4000 });
  // Whoever is killed in the middle leaves such a folder.
  const left = `ansible-tmp-${record.runKey}-1`;
  await nodes[0]?.run(`mkdir -p ~/.ansible/tmp/${left} /tmp/${left} /tmp/ansible-tmp-other-1`);
  expect(await record.end).toEqual({ kind: 'timed_out' });
  expect(await listLocalProcesses(record.runKey)).toEqual([]);
  expect(await cleanAll(record.runKey)).toEqual(allClean());
  const { stdout } = (await nodes[0]?.run('ls ~/.ansible/tmp /tmp')) ?? {};
  expect(stdout).not.toContain(record.runKey);
  expect(stdout).toContain('ansible-tmp-other-1');
});

test('a play that was stopped before it began touches no node', async () => {
  const record = platform.start([{ command: 'touch /tmp/touched' }], {}, { signal: AbortSignal.abort() });
  expect(await record.end).toEqual({ kind: 'stopped' });
  expect(record.events).toEqual([]);
});

test('a stop in the first moment of a play ends it at once', async () => {
  const stop = new AbortController();
  const record = platform.start([{ command: 'sleep 3175' }], {}, { signal: stop.signal });
  await expect.poll(() => listLocalProcesses(record.runKey), { timeout: 20_000 }).not.toEqual([]);
  stop.abort();
  expect(await record.end).toEqual({ kind: 'stopped' });
  expect(await listLocalProcesses(record.runKey)).toEqual([]);
});

test('nothing outlives a killed service on this machine, and the next one removes its files', async () => {
  const { nodes, folder } = platform;
  const runKey = 'of-the-killed-one';
  const play = {
    runKey,
    nodes: nodes.map(toDispatchNode),
    user: platform.user,
    forks: 5,
    timeoutMs: 60_000,
    content: { kind: 'tasks', tasks: stubborn },
    params: {},
    secretTexts: [],
  };
  const options = {
    folder: join(folder, 'killed'),
    sshKeyFile: join(folder, 'id_ed25519'),
    knownHostsFile: join(folder, 'known_hosts'),
    hostKeys: 'strict',
    roleFolders: [],
  };
  const script = join(repositoryFolder, 'test/helpers/play-main.ts');
  const service = spawnProgram(process.execPath, [script], {
    env: { PLAY: JSON.stringify(play), PLAYER: JSON.stringify(options) },
  });
  await expect.poll(() => listRemote(), { timeout: 50_000 }).toSatisfy(hasBothSleeps);
  service.signal('SIGKILL');
  await service.exited;
  await expect.poll(() => listLocalProcesses(runKey), { timeout: 10_000 }).toEqual([]);
  const next = platform.createPlayer({ folder: options.folder });
  expect(await next.findFault()).toBeUndefined();
  const again = platform.start([{ command: 'true' }], { runKey }, { player: next });
  expect(await again.end).toMatchObject({ kind: 'ended', exitCode: 0 });
  expect(await cleanAll(runKey)).toEqual(allClean());
  expect(await listRemote()).toEqual([]);
});

test('a clean-up that runs out of time says so', async () => {
  const nodes = platform.nodes.map(toDispatchNode);
  const cleanups = await platform.player.cleanNodes(
    { runKey: 'x', nodes, user: platform.user },
    { timeoutMs: 1 },
  );
  expect(cleanups.map(({ isClean }) => isClean)).toEqual([false, false]);
});
