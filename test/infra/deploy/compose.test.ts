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
let ours: [name: string, service: ComposeService, script: string][];
let logins: { user: string; variable: string }[];

beforeAll(async () => {
  services = await readCompose();
  ours = Object.entries(services)
    .filter(([, { image }]) => image === 'probe-task')
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

  test('log in as a user of the bus each, with that user’s password and inbox', () => {
    for (const [name, { environment }, script] of ours) {
      if (!script.startsWith('services/')) continue;
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

  test('wait for the migrations, and for a bus and a database that answer', () => {
    for (const [name, { depends_on: needs }, script] of ours) {
      if (!script.startsWith('services/')) continue;
      expect(needs.nats?.condition, name).toBe('service_healthy');
      const database = needs.grants ?? needs.migrate;
      expect(database?.condition, name).toBe('service_completed_successfully');
    }
    expect(services.migrate?.depends_on.postgres?.condition).toBe('service_healthy');
    expect(services.grants?.depends_on.migrate?.condition).toBe('service_completed_successfully');
    for (const name of ['nats', 'postgres', 'pgbouncer'])
      expect(services[name]?.healthcheck, name).toBeDefined();
  });
});

describe('the servers', () => {
  test('are pinned to a version, the bus to that of the local stack', () => {
    for (const { image } of Object.values(services)) expect(image).toMatch(/^probe-task$|:v?\d+\.\d+/);
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
