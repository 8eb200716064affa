// The real services on a deployed bus, each with the login of its role.
import { createBus } from '../../../infra/bus/nats-bus.ts';
import { createProbeClient, type ProbeClient } from '../../../infra/bus/probe-client.ts';
import { createLogger } from '../../../infra/logger.ts';
import { spawnService, type TestService } from '../../helpers/processes.ts';
import type { DeployedNats } from './deployed-nats.ts';

/** With the variables that compose.yaml gives it. */
export function startDeployedGateway(nats: DeployedNats, databaseUrl: string): Promise<TestService> {
  return spawnService('gateway', {
    ...loginOf(nats, 'gateway'),
    NATS_INBOX_PREFIX: '_INBOX.gateway',
    DATABASE_URL: databaseUrl,
  });
}

/** The same for a scheduler. */
export function startDeployedScheduler(nats: DeployedNats, databaseUrl: string): Promise<TestService> {
  return spawnService('scheduler', {
    ...loginOf(nats, 'scheduler'),
    NATS_INBOX_PREFIX: '_INBOX.scheduler',
    DATABASE_URL: databaseUrl,
  });
}

export const crontabKey = 'a-key-of-the-crontab-service';

/** The same for a crontab service, with a key. */
export function startDeployedCrontab(nats: DeployedNats, databaseUrl: string): Promise<TestService> {
  return spawnService('crontab', {
    ...loginOf(nats, 'crontab'),
    NATS_INBOX_PREFIX: '_INBOX.crontab',
    DATABASE_URL: databaseUrl,
    CRONTAB_API_KEYS: crontabKey,
  });
}

export const jobKey = 'a-key-of-the-job-service';

/** The same for a job service, with a key. */
export function startDeployedJob(nats: DeployedNats, databaseUrl: string): Promise<TestService> {
  return spawnService('job', {
    ...loginOf(nats, 'job'),
    NATS_INBOX_PREFIX: '_INBOX.job',
    DATABASE_URL: databaseUrl,
    JOB_API_KEYS: jobKey,
  });
}

export const dispatchKey = 'a-key-of-the-dispatch-service';

/** The same for a dispatch service, with a key and with networks that this machine is not in. */
export function startDeployedDispatch(databaseUrl: string, folder: string): Promise<TestService> {
  return spawnService('dispatch', {
    DATABASE_URL: databaseUrl,
    DISPATCH_API_KEYS: dispatchKey,
    DISPATCH_SEAL_KEY: '4e2-text-of-thirty-two-characters-and-more',
    DISPATCH_FOLDER: folder,
    DISPATCH_NETWORKS: '10.0.0.0/8,172.16.0.0/12,192.168.0.0/16',
    DISPATCH_HOST_KEYS: 'strict',
  });
}

/** The same for an agent; without a database it takes one-shot probes only. */
export function startDeployedAgent(
  nats: DeployedNats,
  id: string,
  databaseUrl?: string,
): Promise<TestService> {
  return spawnService('agent', {
    ...loginOf(nats, id),
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    AGENT_ID: id,
    AGENT_COUNTRY: '86',
    AGENT_PROVINCE: '440000',
    AGENT_CITY: '440400',
    AGENT_CARRIER: '电信',
  });
}

function loginOf(nats: DeployedNats, user: string): Record<string, string> {
  return { NATS_URL: nats.url, NATS_USER: user, NATS_PASSWORD: nats.passwordOf(user) };
}

/** The typed client, logged in as the caller. */
export async function connectCaller(
  nats: DeployedNats,
): Promise<{ client: ProbeClient; stop(): Promise<void> }> {
  const bus = createBus({
    config: {
      servers: [nats.url],
      user: 'caller',
      password: nats.passwordOf('caller'),
      inboxPrefix: '_INBOX.caller',
    },
    name: 'caller',
    logger: createLogger('caller', 'silent'),
  });
  await bus.start();
  return { client: createProbeClient(bus), stop: () => bus.stop() };
}

/** Lines of its log about what the server refused. */
export async function readRefusals(service: TestService): Promise<string[]> {
  return (await service.readLog()).filter((line) => /PERMISSIONS_VIOLATION|bus refused/.test(line));
}
