// What the role probe_agent is told: variables that may be seen, and those that may not.
import { readFile } from 'node:fs/promises';
import { describeError } from '../../../infra/error-text.ts';
import type { AgentChange, GivenSettings } from './agents-arguments.ts';
import type { PlannedNode } from './node-plan.ts';

export type RoleVariables = {
  params: Record<string, unknown>;
  /** Blotted out wherever they appear in what comes back. */
  secrets: Record<string, unknown>;
  faults: string[];
};

const states: Record<AgentChange, string> = {
  deploy: 'deployed',
  upgrade: 'upgraded',
  restart: 'restarted',
  stop: 'stopped',
  start: 'started',
  remove: 'removed',
  status: 'status',
};

/** Of all nodes; those of single nodes come with `describeNodes`. Logins come from the environment and from files. */
export async function readRoleVariables(
  change: AgentChange,
  settings: GivenSettings,
  env: NodeJS.ProcessEnv,
): Promise<RoleVariables> {
  const faults: string[] = [];
  const place = {
    probe_agent_state: states[change],
    probe_agent_directory: settings.directory,
    probe_agent_ready_timeout:
      settings.readyTimeout === undefined ? undefined : Number(settings.readyTimeout),
    probe_agent_become: settings.become,
  };
  if (change !== 'deploy') return { params: pickGiven(place), secrets: {}, faults };

  const natsUrl = env.AGENT_NATS_URL || undefined;
  if (natsUrl === undefined && settings.natsUrl === undefined)
    faults.push('--nats-url is missing: where the agents find the bus');
  const readGiven = async (option: string, path: string | undefined): Promise<string | undefined> => {
    if (path === undefined) return undefined;
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      faults.push(`${option}: ${describeError(error)}`);
      return undefined;
    }
  };
  const params = {
    ...place,
    probe_agent_login: settings.login,
    probe_agent_service: settings.service,
    probe_agent_groups: settings.groups,
    probe_agent_resolvers: settings.resolvers,
    probe_agent_concurrency: settings.concurrency,
    probe_agent_metrics_port: settings.metricsPort === undefined ? undefined : Number(settings.metricsPort),
    probe_agent_nats_url: settings.natsUrl,
    probe_agent_nats_user: settings.natsUser,
    probe_agent_nats_ca: await readGiven('--nats-ca', settings.natsCaFile),
  };
  const secrets = {
    probe_agent_nats_url: settings.natsUrl === undefined ? natsUrl : undefined,
    probe_agent_nats_password: env.AGENT_NATS_PASSWORD || undefined,
    probe_agent_nats_creds: await readGiven('--nats-creds', settings.natsCredsFile),
    probe_agent_database_url: env.AGENT_DATABASE_URL || undefined,
  };
  return { params: pickGiven(params), secrets: pickGiven(secrets), faults };
}

/** The variable with what is particular about each node. */
export function describeNodes(nodes: readonly PlannedNode[]): Record<string, unknown> {
  const own = nodes.filter(({ settings }) => Object.keys(settings).length > 0);
  if (own.length === 0) return {};
  return { probe_agent_nodes: Object.fromEntries(own.map(({ node, settings }) => [node, settings])) };
}

function pickGiven(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
