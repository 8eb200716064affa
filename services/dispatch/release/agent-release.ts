// What is shipped to a machine so that an agent runs there: the program with its packages, and the Node.js that runs it.
import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { systemErrorCode } from '../../../infra/error-text.ts';
import { isThere } from '../../../infra/is-there.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { Content } from '../content/content.ts';
import { findImportClosure } from './import-closure.ts';
import { findPackageFiles } from './package-closure.ts';
import { writeArchive } from './write-archive.ts';

/** Absolute paths of two archives: programs change often, and are small beside what runs them. */
export type AgentRelease = {
  /** `probe-agent-<version>-<digest>.tar.gz`. */
  release: string;
  /** `probe-node-<version>-<os>-<architecture>-<digest>.tar.gz`, holding the one file `node`. */
  runtime: string;
};

export type AgentReleaseOptions = {
  /** Where the archives are kept; made when it is missing. */
  folder: string;
  logger: Logger;
  /** The software that is shipped, with `node_modules` in it (default: this one). */
  root?: string;
  /** 1 (fast) to 9 (small). */
  compressionLevel?: number;
};

export type AgentReleases = {
  /** Rejects when an archive cannot be written, and builds it anew when it is asked for again. */
  provide(): Promise<AgentRelease>;
  /** What the roles of a content read of this machine: variable → absolute path. Empty for other roles. */
  controllerFilesFor(content: Content): Promise<Record<string, string>>;
};

const agentRole = 'probe_agent';
const ownRoot = resolve(import.meta.dirname, '../../..');
const entry = 'services/agent/main.ts';
/** They manage the release on its machine. */
const roleFiles = [
  'agent-processes.sh',
  'inspect-agent-main.mts',
  'probe-agent.sh',
  'start-agent-main.mts',
].map((name) => join('services/dispatch/playbooks/roles', agentRole, 'files', name));
const defaultLevel = 6;
const digestLength = 12;
const readOctets = 1024 * 1024;
const keptMs = 30 * 24 * 3600 * 1000;
const manifestSchema = z.object({ version: z.string().regex(/^[0-9A-Za-z.+-]{1,40}$/) });

/**
 * Builds the archives when they are first asked for; later, and in further processes, those that are there are taken:
 * their names say what is in them.
 */
export function createAgentRelease(options: AgentReleaseOptions): AgentReleases {
  let provided: Promise<AgentRelease> | undefined;

  async function provide(): Promise<AgentRelease> {
    provided ??= build(options).catch((error: unknown) => {
      provided = undefined;
      throw error;
    });
    const release = await provided;
    if (await isStillThere(release)) return release;
    provided = undefined;
    return provide();
  }

  return {
    provide,
    async controllerFilesFor(content) {
      if (content.kind !== 'roles' || !content.roles.includes(agentRole)) return {};
      const { release, runtime } = await provide();
      return { probe_agent_release: release, probe_agent_runtime: runtime };
    },
  };
}

async function build(options: AgentReleaseOptions): Promise<AgentRelease> {
  await mkdir(options.folder, { recursive: true });
  const [release, runtime] = await Promise.all([buildRelease(options), buildRuntime(options)]);
  const archives = { release, runtime };
  await isStillThere(archives);
  await removeUnused(options.folder, Date.now() - keptMs);
  return archives;
}

/** Marks the archives as asked for; false where somebody has removed one. */
async function isStillThere({ release, runtime }: AgentRelease): Promise<boolean> {
  const now = new Date();
  try {
    for (const path of [release, runtime]) await utimes(path, now, now);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Archives that nobody has asked for since then: of versions that are gone. */
async function removeUnused(folder: string, sinceMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^probe-(?:agent|node)-.*\.tar\.gz/.test(name)) continue;
    const path = join(folder, name);
    // Another process may be as far as this one.
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: sinceMs }));
    if (mtimeMs < sinceMs) await rm(path, { force: true });
  }
}

async function buildRelease(options: AgentReleaseOptions): Promise<string> {
  const { root = ownRoot } = options;
  const manifest = manifestSchema.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const closure = await findImportClosure(root, entry);
  const packageFiles = await findPackageFiles(root, closure.packages);
  const files = ['package.json', ...roleFiles, ...closure.files, ...packageFiles];
  const digest = await digestFiles(root, files);
  return provideArchive(`probe-agent-${manifest.version}-${digest}`, { folder: root, files }, options);
}

async function buildRuntime(options: AgentReleaseOptions): Promise<string> {
  const program = await realpath(process.execPath);
  const content = { folder: dirname(program), files: [basename(program)] };
  const digest = await digestProgram(program);
  const name = `probe-node-${process.version}-${process.platform}-${process.arch}-${digest}`;
  return provideArchive(name, content, options);
}

async function provideArchive(
  name: string,
  content: { folder: string; files: string[] },
  { folder, logger, compressionLevel = defaultLevel }: AgentReleaseOptions,
): Promise<string> {
  const path = join(folder, `${name}.tar.gz`);
  if (await isThere(path)) return path;
  const startedAt = performance.now();
  await writeArchive(path, content, compressionLevel);
  const { size } = await stat(path);
  logger.info({ archive: path, size, ms: Math.round(performance.now() - startedAt) }, 'archive written');
  return path;
}

async function digestFiles(root: string, files: readonly string[]): Promise<string> {
  const whole = createHash('sha256');
  for (const file of files) {
    whole.update(`${file}\0${hash('sha256', await readFile(join(root, file)))}\n`);
  }
  return whole.digest('hex').slice(0, digestLength);
}

/** Too large to be read at once. */
async function digestProgram(path: string): Promise<string> {
  const whole = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: readOctets }), whole);
  return whole.digest('hex').slice(0, digestLength);
}
