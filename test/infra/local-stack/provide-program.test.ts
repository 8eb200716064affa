import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ProgramSource, provideProgram } from '../../../infra/local-stack/provide-program.ts';
import { runProgram } from '../../../infra/local-stack/run-program.ts';

let folder: string;
let reports: string[];

const source: ProgramSource = {
  name: 'some-server',
  goModule: 'example.test/some-server@v1.2.3',
  debian: { packageName: 'some-server', pathInPackage: 'usr/sbin/some-server' },
  advice: 'see its home page',
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'probe-task-program-'));
  reports = [];
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function writeProgram(path: string, script: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

const provide = () =>
  provideProgram(source, {
    dataFolder: join(folder, 'data'),
    // Neither apt nor a Go toolchain of this machine.
    env: { PATH: join(folder, 'path') },
    report: (line) => reports.push(line),
  });

test('prefers the one on the PATH over the one in the data folder', async () => {
  await writeProgram(join(folder, 'path', 'some-server'), 'exit 0');
  await writeProgram(join(folder, 'data', 'bin', 'some-server'), 'exit 0');
  expect(await provide()).toBe(join(folder, 'path', 'some-server'));
});

test('builds it once with Go, even for several callers at a time', async () => {
  // Stands for the Go toolchain: writes what it was asked for to where it was told, and counts its runs.
  const count = join(folder, 'runs');
  const build = `echo run >> '${count}'; /bin/mkdir -p "$GOBIN"; printf '#!/bin/sh\\necho "%s"' "$*" > "$GOBIN/some-server"; /bin/chmod +x "$GOBIN/some-server"`;
  await writeProgram(join(folder, 'path', 'go'), build);
  const paths = await Promise.all([provide(), provide(), provide()]);
  expect(new Set(paths)).toEqual(new Set([join(folder, 'data', 'bin', 'some-server')]));
  expect(reports).toEqual(['installing some-server v1.2.3 with Go (once, about a minute) …']);
  const { stdout } = await runProgram(paths[0] ?? '', []);
  expect(stdout).toBe('install example.test/some-server@v1.2.3\n');
  expect((await runProgram('cat', [count])).stdout).toBe('run\n');
});

test('says in one line how to get it and why the ways it tried failed', async () => {
  await writeProgram(join(folder, 'path', 'go'), 'echo "go: no such module" >&2; exit 1');
  await expect(provide()).rejects.toMatchObject({
    code: 'PROGRAM_MISSING',
    message: expect.stringMatching(
      /^some-server is missing: see its home page \(Go: .*: go: no such module[^\n]*\)$/,
    ),
  });
});
