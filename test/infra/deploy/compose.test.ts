// compose.yaml against what it starts: scripts, variables, logins, and what must not be forgotten.
import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { busVariables, operationVariables } from '../../../infra/config.ts';
import { repositoryFolder } from '../../../infra/local-stack/data-folder.ts';
import { natsServerSource } from '../../../infra/local-stack/provide-program.ts';
import { stackServices } from '../../../infra/local-stack/services.ts';
import { deployFolder, readLogins } from './deployed-nats.ts';
import { type ComposeService, readCompose } from './read-compose.ts';

let services: Record<string, ComposeService>;
let volumes: string[];
let ours: [name: string, service: ComposeService, script: string][];
let logins: { user: string; variable: string }[];

beforeAll(async () => {
  ({ services, volumes } = await readCompose());
  ours = Object.entries(services)
    .filter(([, { image }]) => image.startsWith('probe-task'))
    .map(([name, service]) => [name, service, service.command?.[0] ?? '']);
  logins = readLogins(await readDeployed('nats.conf'));
});

function readDeployed(file: string): Promise<string> {
  return readFile(join(deployFolder, file), 'utf8');
}

/** Names of the variables that have to be set, as `${NAME:?…}`. */
function readRequired(text: string): string[] {
  return [...text.matchAll(/\$\{(\w+):\?/g)].map(([, name = '']) => name);
}

/** Whether the script is a service that reads where the bus is. */
async function usesBus(script: string): Promise<boolean> {
  if (!script.startsWith('services/')) return false;
  return (await readFile(join(repositoryFolder, script), 'utf8')).includes('...busVariables');
}

describe('the services', () => {
  test('are those of the local stack, two gateways and two schedulers, and one with a port of its own', () => {
    const scripts = ours.map(([, , script]) => script).filter((script) => script.startsWith('services/'));
    expect(new Set(scripts)).toEqual(
      new Set(['services/scheduler/main.ts', ...stackServices.map(({ script }) => script)]),
    );
    expect(services.gateway?.deploy?.replicas).toBe('2');
    expect(services.scheduler?.deploy?.replicas).toBe('2');
    for (const { name, port } of stackServices) {
      if (port === undefined) continue;
      expect(services[name]?.ports).toEqual([`127.0.0.1:${port.preferred}:${port.preferred}`]);
      expect(services[name]?.environment[port.variable]).toBe(String(port.preferred));
      expect(services[name]?.deploy).toBeUndefined();
    }
  });

  test('run scripts that are there, with variables that these read', async () => {
    for (const [name, { environment }, script] of ours) {
      const source = await readFile(join(repositoryFolder, script), 'utf8');
      const known = [
        ...[...source.matchAll(/\b([A-Z][A-Z_]+): /g)].map(([, variable]) => variable),
        ...(source.includes('...busVariables') ? Object.keys(busVariables) : []),
        ...(source.includes('...operationVariables') ? Object.keys(operationVariables) : []),
      ];
      for (const variable of Object.keys(environment))
        expect(known, `${name}: ${variable}`).toContain(variable);
    }
  });

  test('stand where the agents of the local stack stand', () => {
    for (const { name, env } of stackServices) {
      expect(services[name]?.environment ?? {}, name).toMatchObject(env);
    }
  });

  test('log in as a user of the bus each that uses it, with that user’s password and inbox', async () => {
    for (const [name, { environment }, script] of ours) {
      if (!(await usesBus(script))) {
        expect(Object.keys(environment).filter((variable) => variable.startsWith('NATS_'))).toEqual([]);
        continue;
      }
      const { NATS_USER = '', NATS_PASSWORD = '', NATS_INBOX_PREFIX } = environment;
      const login = logins.find(({ user }) => user === NATS_USER);
      expect(readRequired(NATS_PASSWORD), name).toEqual([login?.variable]);
      if (environment.AGENT_ID === undefined) expect(NATS_INBOX_PREFIX).toBe(`_INBOX.${NATS_USER}`);
      else expect(environment.AGENT_ID).toBe(NATS_USER);
    }
  });

  test('have more time to stop than a service takes at the most', () => {
    for (const [name, { stop_grace_period: grace = '0s' }] of ours) {
      expect(Number(grace.replace(/s$/, '')), name).toBeGreaterThanOrEqual(20);
    }
  });

  test('wait for the migrations, and for a bus and a database that answer', async () => {
    for (const [name, { depends_on: needs }, script] of ours) {
      if (!script.startsWith('services/')) continue;
      if (await usesBus(script)) expect(needs.nats?.condition, name).toBe('service_healthy');
      const database = needs.grants ?? needs.migrate;
      expect(database?.condition, name).toBe('service_completed_successfully');
    }
    expect(services.migrate?.depends_on.postgres?.condition).toBe('service_healthy');
    expect(services.grants?.depends_on.migrate?.condition).toBe('service_completed_successfully');
    for (const name of ['nats', 'postgres', 'pgbouncer'])
      expect(services[name]?.healthcheck, name).toBeDefined();
  });
});

describe('the privileges', () => {
  test('are none: no capability, none to be gained, nothing of the image to be written', () => {
    for (const [name, { cap_drop, security_opt, read_only }] of ours) {
      expect([cap_drop, read_only], name).toEqual([['ALL'], 'true']);
      expect(security_opt, name).toContain('no-new-privileges:true');
    }
  });

  test('let the dispatch service alone make sandboxes', () => {
    const unconfined = ours.filter(([, { security_opt: given }]) => given.length > 1);
    expect(unconfined.map(([name, { security_opt: given }]) => [name, given])).toEqual([
      [
        'dispatch',
        ['no-new-privileges:true', 'seccomp=unconfined', 'apparmor=unconfined', 'systempaths=unconfined'],
      ],
    ]);
  });
});

describe('the dispatch service', () => {
  test('alone runs the image with Ansible', () => {
    for (const [name, { image, build }] of ours) {
      const [wanted, args] =
        name === 'dispatch' ? ['probe-task-dispatch', { BASE: 'ansible' }] : ['probe-task', {}];
      expect([image, build?.args], name).toEqual([wanted, args]);
    }
  });

  test('keeps its folder in a volume that the image has ready for its user', async () => {
    const { volumes: mounts = [], environment } = services.dispatch ?? {};
    const [volume = '', folder] = mounts[0]?.split(':') ?? [];
    expect(volumes).toContain(volume);
    expect(folder).toBe(environment?.DISPATCH_FOLDER);
    expect(await readDeployed('Dockerfile')).toContain(`install -d -o node -g node -m 0700 ${folder}\n`);
  });

  test('seals with a secret, asks for a key, and reaches private networks only, itself not among them', () => {
    const environment = services.dispatch?.environment ?? {};
    expect(readRequired(environment.DISPATCH_SEAL_KEY ?? '')).toEqual(['DISPATCH_SEAL_KEY']);
    expect(readRequired(environment.DISPATCH_API_KEYS ?? '')).toEqual(['DISPATCH_API_KEYS']);
    expect(environment.DISPATCH_NETWORKS).toBe(
      `\${DISPATCH_NETWORKS:-10.0.0.0/8,172.16.0.0/12,192.168.0.0/16}`,
    );
    expect(environment.DISPATCH_HOST_KEYS).toBe('strict');
  });
});

describe('the servers', () => {
  test('are pinned to a version, the bus to that of the local stack', () => {
    for (const { image } of Object.values(services))
      expect(image).toMatch(/^probe-task(-dispatch)?$|:v?\d+\.\d+/);
    const version = natsServerSource.goModule?.split('@v')[1];
    expect(services.nats?.image).toBe(`nats:${version}-alpine`);
    expect(services.grants?.image).toBe(services.postgres?.image);
  });

  test('publish ports on loopback only', () => {
    const ports = Object.values(services).flatMap((service) => service.ports);
    expect(ports).not.toEqual([]);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  test('mount files that are there', async () => {
    const sources = Object.values(services)
      .flatMap(({ volumes }) => volumes)
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((source) => source.startsWith('.'));
    expect(sources).not.toEqual([]);
    for (const source of sources) await access(join(deployFolder, source));
  });

  test('get every variable that the bus’s configuration names, in quotes of its own', async () => {
    const named = [...(await readDeployed('nats.conf')).matchAll(/: \$(\w+)/g)]
      .map(([, name = '']) => name)
      .filter((name) => name.startsWith('NATS_'));
    const environment = services.nats?.environment ?? {};
    expect(Object.keys(environment).sort()).toEqual([...new Set(named)].sort());
    for (const value of Object.values(environment)) expect(value).toMatch(/^".+"$/);
  });
});

describe('the secrets', () => {
  test('are named in .env.example without a value, all of them and no others', async () => {
    const example = await readDeployed('.env.example');
    const entries = example.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const required = readRequired(await readDeployed('compose.yaml'));
    expect(entries.sort()).toEqual([...new Set(required)].map((name) => `${name}=`).sort());
    expect(await readDeployed('.gitignore')).toBe('.env\n');
  });

  test('are filled in by the command of .env.example', async () => {
    const example = await readDeployed('.env.example');
    const command = example
      .split('\n')
      .filter((line) => /^# {3}/.test(line))
      .map((line) => line.replace(/^#\s+/, '').replace(/\\$/, ''))
      .join('')
      .replace(/ > \.env .*/, '')
      // Stands in for openssl, which may be missing here.
      .replaceAll('openssl rand -hex 24', 'echo secret');
    const { stdout } = await promisify(execFile)('sh', ['-c', command], { cwd: deployFolder });
    const values = stdout.split('\n').filter((line) => /^\w+=/.test(line));
    expect(values).toHaveLength(example.split('\n').filter((line) => line.endsWith('=')).length);
    for (const value of values) expect(value).toMatch(/=secret$/);
  });

  test('of the bus are a different one for every user', () => {
    const variables = logins.map(({ variable }) => variable);
    expect(new Set(variables).size).toBe(variables.length);
  });
});
