// The README as a newcomer follows it: `npm start`, every command and program of it in order, Ctrl-C.
import { existsSync, globSync } from 'node:fs';
import { appendFile, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { repositoryFolder } from '../../infra/local-stack/data-folder.ts';
import { runProgram } from '../../infra/local-stack/run-program.ts';
import { readStackFile, type StackAddresses } from '../../infra/local-stack/stack-file.ts';
import { spawnProgram, type TestProgramRun } from '../helpers/processes.ts';
import { providePython } from '../helpers/programs.ts';
import { nodeUser } from '../helpers/ssh-node-folder.ts';
import { type SshNodes, startSshNodes } from '../helpers/ssh-nodes.ts';
import { until } from '../helpers/test-client.ts';

type Example = { language: string; code: string; output: string | undefined };

/** Every fenced block that can be run, with the text block that shows its output right after it. */
function readExamples(readme: string): Example[] {
  const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(
    ([whole, language = '', code = ''], index, all) => ({
      language,
      code,
      end: (all[index]?.index ?? 0) + whole.length,
      start: all[index]?.index ?? 0,
    }),
  );
  return blocks.flatMap(({ language, code, end }, index) => {
    if (!['sh', 'python', 'js'].includes(language)) return [];
    const next = blocks[index + 1];
    const isOutput = next?.language === 'text' && readme.slice(end, next.start).trim() === '';
    return [{ language, code, output: isOutput ? next.code : undefined }];
  });
}

/** What differs from run to run: durations, and the widths that follow from them; times of day; random ids. */
function withoutFigures(text: string): string {
  return text
    .replace(/\d+\.\d\d\b/g, '#')
    .replace(/\d{4}-\d\d-\d\dT[\d:]{8}Z/g, '#')
    .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, '#')
    .replace(/ +/g, ' ')
    .trim();
}

const readme = await readFile(join(repositoryFolder, 'README.md'), 'utf8');
const examples = readExamples(readme);

let dataFolder: string;
let nodeFolder: string;
let nodes: SshNodes;
let stack: TestProgramRun;
let addresses: StackAddresses;

beforeAll(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'probe-task-readme-'));
  nodeFolder = await mkdtemp(join(tmpdir(), 'probe-task-readme-nodes-'));
  // As on a machine that has a nats-server: another test installs one.
  const PATH = [dirname(inject('natsServerProgram')), process.env.PATH].join(delimiter);
  const env = { PATH, DATA_DIR: dataFolder, LOG_LEVEL: 'warn', DISPATCH_USER: nodeUser };
  stack = spawnProgram('npm', ['start'], { env });
  nodes = await startSshNodes({ addresses: ['127.0.1.1', '127.0.1.2'], folder: nodeFolder });
  // Other test files start their own servers at the same time.
  await stack.waitForLine(/^ready$/, 60_000);
  const found = await readStackFile(dataFolder);
  if (found === null) throw new Error('the stack is ready and left no addresses');
  addresses = found;
  await introduceNodes();
}, 120_000);

/** What the README has one do with ssh-copy-id and ssh-keyscan. */
async function introduceNodes(): Promise<void> {
  const folder = join(dataFolder, 'dispatch');
  const key = await readFile(join(folder, 'id_ed25519.pub'), 'utf8');
  for (const node of nodes.nodes) await appendFile(join(node.folder, 'etc/ssh/authorized_keys'), key);
  await copyFile(nodes.knownHostsFile, join(folder, 'known_hosts'));
}

afterAll(async () => {
  // A test that failed may have left it running.
  stack.signal('SIGTERM');
  await stack.exited;
  await nodes.stop();
  for (const folder of [dataFolder, nodeFolder]) await rm(folder, { recursive: true, force: true });
});

/** The stack of this test stands on free ports where the README has the preferred ones, and so do the nodes. */
function localise(text: string): string {
  const urlOf = (name: string) => addresses.services.find((service) => service.name === name)?.url ?? '';
  const [first, second] = nodes.nodes;
  return text
    .replaceAll('nats://127.0.0.1:4222', addresses.natsUrl)
    .replaceAll('127.0.0.1:6553', addresses.exampleZone)
    .replaceAll('http://127.0.0.1:6557', urlOf('crontab'))
    .replaceAll('http://127.0.0.1:6558', urlOf('dispatch'))
    .replaceAll('http://127.0.0.1:6559', urlOf('job'))
    .replaceAll('10.0.0.11', first?.text ?? '')
    .replaceAll('10.0.0.12', second?.text ?? '')
    .replaceAll('"user": "root"', `"user": "${nodes.user}"`);
}

async function runExample({ language, code }: Example) {
  const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', DATA_DIR: dataFolder };
  const options = { env, cwd: repositoryFolder, timeoutMs: 60_000 };
  if (language === 'sh') return runProgram('sh', ['-c', localise(code)], options);
  const isPython = language === 'python';
  // Node looks for packages from where the script lies; the ignored folder of the local stack is in reach of them.
  const folder = isPython ? dataFolder : join(repositoryFolder, '.data');
  const script = join(folder, isPython ? 'example.py' : 'readme-example.mjs');
  await mkdir(folder, { recursive: true });
  await writeFile(script, localise(code));
  try {
    if (!isPython) return await runProgram(process.execPath, [script], options);
    const pythonPath = join(repositoryFolder, 'contracts/python/src');
    return await runProgram(await providePython(), [script], {
      ...options,
      env: { ...env, PYTHONPATH: pythonPath, PYTHONIOENCODING: 'utf-8' },
    });
  } finally {
    await rm(script);
  }
}

describe('the README', () => {
  const [commands, ...calls] = examples;

  test('opens with the two commands', () => {
    expect(commands?.code).toMatch(/^npm install && npm start\b.*\nnpm install && npm test\b/);
    expect(readme.indexOf(commands?.code ?? '')).toBeLessThan(1200);
  });

  test('has calls in shell, Python and Node, each with its output', () => {
    expect(new Set(calls.map(({ language }) => language))).toEqual(new Set(['sh', 'python', 'js']));
    expect(calls.filter(({ output }) => output === undefined)).toEqual([]);
  });

  test.each(calls.map((example, index) => ({ ...example, title: `${example.language} ${index + 1}` })))(
    'shows what its example really prints: $title',
    async (example) => {
      const { exitCode, stdout, stderr } = await runExample(example);
      expect(stderr).toBe('');
      expect(exitCode).toBe(0);
      expect(withoutFigures(stdout)).toBe(withoutFigures(localise(example.output ?? '')));
    },
    60_000,
  );

  test('names every variable that the services read', async () => {
    const mains = globSync('services/*/main.ts', { cwd: repositoryFolder });
    expect(mains.length).toBeGreaterThan(1);
    const sources = await Promise.all(
      ['infra/config.ts', ...mains].map((file) => readFile(join(repositoryFolder, file), 'utf8')),
    );
    const variables = sources.flatMap((source) =>
      [...source.matchAll(/^ {2}([A-Z]+(?:_[A-Z]+)+): /gm)].map(([, name]) => name),
    );
    expect(variables.length).toBeGreaterThan(20);
    expect(variables.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });

  test('names no source file that is not there', () => {
    const named = [...readme.matchAll(/`((?:contracts|infra|services|test)\/[\w/.-]+\.\w+)`/g)].map(
      ([, file = '']) => file,
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((file) => !existsSync(join(repositoryFolder, file)))).toEqual([]);
  });
});

describe('what npm start printed', () => {
  test('ends in ready and holds a first call for shell, Node and Python that can be copied', async () => {
    const output = stack.output();
    expect(output.trimEnd().split('\n').at(-1)).toBe('ready');
    const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', DATA_DIR: dataFolder };
    const copied = [
      /^(npm run .*)$/m.exec(output)?.[1],
      /^(node [\s\S]*?')\n\n/m.exec(output)?.[1],
      /^(\.venv\/bin\/python [\s\S]*?')\n\n/m
        .exec(output)?.[1]
        ?.replace('.venv/bin/python', `'${await providePython()}'`),
    ];
    for (const command of copied) {
      expect(command).toBeDefined();
      const { exitCode, stdout, stderr } = await runProgram('sh', ['-c', command ?? ''], {
        env,
        cwd: repositoryFolder,
        timeoutMs: 60_000,
      });
      expect(stdout, stderr).toContain('192.0.2.1');
      expect(exitCode).toBe(0);
    }
  }, 60_000);

  test('Ctrl-C ends all of it, and leaves no process behind', async () => {
    stack.signal('SIGINT', { toGroup: true });
    expect(await stack.exited).toMatchObject({ exitCode: 0 });
    await until(
      async () =>
        !(
          await runProgram('pgrep', ['-f', dataFolder], {
            env: { PATH: process.env.PATH ?? '' },
            timeoutMs: 5000,
          })
        ).stdout,
    );
    for (const { metricsUrl } of addresses.services) await expect(fetch(metricsUrl)).rejects.toThrow();
  });
});
