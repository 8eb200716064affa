// Becomes the agent of a deployment: `node start-agent-main.mts FOLDER [UID GID]`. Settings come from a file, so that
// no login stands in a command line or in the environment that /proc shows.
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , given = '', uid, gid] = process.argv;
// An upgrade moves the link; what is loaded later still has to be of this release.
const folder = realpathSync(given);
const settings = join(folder, 'settings');
const release = realpathSync(join(folder, 'release'));

const environment: unknown = JSON.parse(readFileSync(join(settings, 'environment.json'), 'utf8'));
for (const [name, value] of Object.entries(environment ?? {})) {
  const isFile = name === 'NATS_CREDS' || name === 'NATS_CA';
  process.env[name] = isFile ? join(settings, String(value)) : String(value);
}

if (uid !== undefined && gid !== undefined) {
  process.setgroups?.([Number(gid)]);
  process.setgid?.(Number(gid));
  process.setuid?.(Number(uid));
}
process.chdir(release);
await import(pathToFileURL(join(release, 'services/agent/main.ts')).href);
