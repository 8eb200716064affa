// A node is who its host key says, or it is not spoken to.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toDispatchNode, usePlayPlatform } from '../../../helpers/play-platform.ts';

const platform = usePlayPlatform(['127.0.14.1', '127.0.14.2']);
const touch = [{ name: 'touch', raw: 'echo here' }];

/** The host keys of these nodes, each under the name of another where `names` says so. */
async function writeKnownHosts(name: string, lines: (line: string, index: number) => string | undefined) {
  const known = (await readFile(join(platform.folder, 'known_hosts'), 'utf8')).trim().split('\n');
  const file = join(platform.folder, name);
  await writeFile(
    file,
    known
      .flatMap((line, index) => lines(line, index) ?? [])
      .map((line) => `${line}\n`)
      .join(''),
  );
  return file;
}

test('an unknown host key is refused, and so is a changed one', async () => {
  const [first = '', second = ''] = (await readFile(join(platform.folder, 'known_hosts'), 'utf8')).split(
    '\n',
  );
  const stolen = `${first.split(' ')[0]} ${second.split(' ').slice(1).join(' ')}`;
  const knownHostsFile = await writeKnownHosts('wrong_hosts', (_line, index) =>
    index === 0 ? stolen : undefined,
  );
  const player = platform.createPlayer({ knownHostsFile });
  const record = platform.start(touch, {}, { player });
  expect(await record.end).toMatchObject({ kind: 'ended', exitCode: 4 });
  expect(record.tasks.map(({ result }) => result)).toEqual(['unreachable', 'unreachable']);
  const nodes = platform.nodes.map(toDispatchNode);
  const cleanups = await player.cleanNodes(
    { runKey: 'x', nodes, user: platform.user },
    { timeoutMs: 20_000 },
  );
  expect(cleanups).toEqual(
    nodes.map(({ text }) => ({ node: text, isClean: false, reason: 'Host key verification failed.' })),
  );
});

test('an unknown host key is taken where that is wanted, and then kept to', async () => {
  const [first = '', second = ''] = (await readFile(join(platform.folder, 'known_hosts'), 'utf8')).split(
    '\n',
  );
  const stolen = `${first.split(' ')[0]} ${second.split(' ').slice(1).join(' ')}`;
  const knownHostsFile = await writeKnownHosts('new_hosts', (_line, index) =>
    index === 0 ? stolen : undefined,
  );
  const player = platform.createPlayer({ knownHostsFile, hostKeys: 'accept-new' });
  const record = platform.start(touch, {}, { player });
  expect(await record.end).toMatchObject({ kind: 'ended', exitCode: 4 });
  const results = Object.fromEntries(record.tasks.map(({ node, result }) => [node, result]));
  expect(results).toEqual({
    [String(platform.nodes[0]?.text)]: 'unreachable',
    [String(platform.nodes[1]?.text)]: 'ok',
  });
  expect((await readFile(knownHostsFile, 'utf8')).trim().split('\n')).toEqual([
    stolen,
    second.replace(/ test$/, ''),
  ]);
});

test('whoever has played nothing yet can clean up after others', async () => {
  const player = platform.createPlayer({
    knownHostsFile: join(platform.folder, 'of-nobody', 'known_hosts'),
    hostKeys: 'accept-new',
  });
  const nodes = platform.nodes.map(toDispatchNode);
  const cleanups = await player.cleanNodes(
    { runKey: 'x', nodes, user: platform.user },
    { timeoutMs: 20_000 },
  );
  expect(cleanups.map(({ isClean }) => isClean)).toEqual([true, true]);
});
