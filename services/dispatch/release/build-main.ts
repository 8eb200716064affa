// `node services/dispatch/release/build-main.ts FOLDER`: the archives for those who run the playbook by themselves.
import { resolve } from 'node:path';
import { createLogger } from '../../../infra/logger.ts';
import { createAgentRelease } from './agent-release.ts';

const [, , folder] = process.argv;
if (folder === undefined) {
  process.stderr.write('usage: node services/dispatch/release/build-main.ts FOLDER > release.json\n');
  process.exit(1);
}
const releases = createAgentRelease({ folder: resolve(folder), logger: createLogger('release', 'silent') });
const variables = await releases.controllerFilesFor({ kind: 'roles', roles: ['probe_agent'] });
process.stdout.write(`${JSON.stringify(variables)}\n`);
