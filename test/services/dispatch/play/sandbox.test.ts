// A sandbox: what it gives a program, and that nothing of it is left, whenever it ends.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findOnPath } from '../../../../infra/local-stack/find-program.ts';
import { runProgram } from '../../../../infra/local-stack/run-program.ts';
import { startSandbox } from '../../../../services/dispatch/play/sandbox.ts';
import { until } from '../../../helpers/test-client.ts';

const batches = 4;
const atOnce = 10;

/** So many turns of the event loop: moments, not milliseconds. */
async function passTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}

test('a kill ends it, however little of it was set up', async () => {
  const bwrap = (await findOnPath('bwrap', process.env)) ?? '';
  const command = { bwrap, program: '/bin/sleep', args: ['3600'], env: {}, binds: [] };
  for (let batch = 0; batch < batches; batch += 1) {
    const ends = Array.from({ length: atOnce }, async (_, index) => {
      const sandbox = await startSandbox(command);
      await passTurns((batch * atOnce + index) * 10);
      sandbox.kill();
      return sandbox.exited;
    });
    expect(await Promise.all(ends)).toHaveLength(atOnce);
  }
});

test('its program never goes on without its service, however little of it was set up', async () => {
  const bwrap = (await findOnPath('bwrap', process.env)) ?? '';
  const seconds = String(3600 + Math.random());
  const module = join(import.meta.dirname, '../../../../services/dispatch/play/sandbox.ts');
  const command = { bwrap, program: '/bin/sleep', args: [seconds], env: {}, binds: [] };
  for (let turns = 0; turns < 40; turns += 4) {
    const script = `const { startSandbox } = await import(${JSON.stringify(module)});
      await Promise.all(Array.from({ length: 4 }, () => startSandbox(${JSON.stringify(command)})));
      for (let turn = 0; turn < ${turns * 10}; turn += 1) await new Promise(setImmediate);
      process.kill(process.pid, 'SIGKILL');`;
    await runProgram(process.execPath, ['--input-type=module', '-e', script]);
  }
  // What bubblewrap has not let go yet waits for its word for ever, and does nothing.
  const listBegun = async () => {
    const { stdout } = await runProgram('ps', ['-eo', 'comm,args']);
    return stdout.split('\n').filter((line) => line.includes(seconds) && !line.startsWith('bwrap'));
  };
  await until(async () => (await listBegun()).length === 0);
});

test('none of its processes has more memory than is good for its machine', async () => {
  const bwrap = (await findOnPath('bwrap', process.env)) ?? '';
  const args = ['-c', 'print(len("a" * 2_000_000_000))'];
  const sandbox = await startSandbox({ bwrap, program: '/usr/bin/python3', args, env: {}, binds: [] });
  expect(await sandbox.exited).toEqual({ exitCode: 1 });
  expect(sandbox.errors()).toContain('MemoryError');
});

test('a program reads what is meant for it, and nothing before', async () => {
  const bwrap = (await findOnPath('bwrap', process.env)) ?? '';
  const command = { bwrap, program: '/bin/cat', args: [], env: {}, binds: [], input: 'one\ntwo' };
  const sandbox = await startSandbox(command);
  expect(await sandbox.exited).toEqual({ exitCode: 0 });
  expect(sandbox.output()).toBe('one\ntwo');
});
