// Schedulers and agents as real processes on one database, with what tests of recurring tasks ask of that database.
import type { TestService } from './processes.ts';
import { createServicePlatform, type ServicePlatform } from './service-platform.ts';
import { readMetric, until } from './test-client.ts';

/** Fields of a task; what is left out is a task that runs once on every agent. */
export type NewTask = {
  cycle?: number;
  dnsServers?: string[];
  /** `n0.<zone>`, `n1.<zone>`, … */
  names?: number;
  zone?: string;
  /** So many tasks of this kind. */
  count?: number;
};

export type RecurringPlatform = Omit<ServicePlatform, 'start'> & {
  startScheduler(env?: Record<string, string>): Promise<TestService>;
  /** Resolves when the agent has registered itself: slots planned from then on count on it. */
  startAgent(id: string, env?: Record<string, string>): Promise<TestService>;
  startGateway(): Promise<TestService>;
  /** Enables new tasks and resolves with their ids. */
  addTasks(task: NewTask): Promise<string[]>;
  /** Lets the leases of all runs end that are held now; nobody has to wait half a minute for it. */
  endLeases(): Promise<void>;
  /** Resolves when no run is left. */
  runsDone(): Promise<void>;
  /**
   * Pauses all tasks and resolves when no run is left. Needs a scheduler: what a claim gave to an agent that never heard
   * of it, because the connection broke, is given to it again.
   */
  settle(): Promise<void>;
};

/**
 * On a fresh database of the run's Postgres unless a URL is given. What is started here ends with the present test; what
 * ended before that counts as stopped.
 */
export async function startRecurringPlatform(options: {
  natsUrl: string;
  databaseUrl?: string;
}): Promise<RecurringPlatform> {
  const platform = await createServicePlatform(options);
  const { databaseUrl, query, readNumber, start } = platform;
  const agents = new Set<TestService>();
  const endLeases = async () => {
    await query(`update probe_run set lease_until = now() - interval '1 s' where state = 1`);
  };
  const runsDone = () => until(async () => (await readNumber('select count(*) from probe_run')) === 0);
  const countSessions = (id: string) =>
    readNumber('select count(*) from agent_session where agent_id = $1', [id]);

  return {
    databaseUrl,
    query,
    readNumber,
    startScheduler: (env = {}) => start('scheduler', env),
    startGateway: () => start('gateway', {}),
    async startAgent(id, env = {}) {
      const before = await countSessions(id);
      const place = { AGENT_COUNTRY: '86', AGENT_PROVINCE: '1', AGENT_CITY: '1', AGENT_CARRIER: '电信' };
      const agent = await start('agent', { AGENT_ID: id, ...place, ...env });
      agents.add(agent);
      void agent.exited.then(() => agents.delete(agent));
      await until(async () => (await countSessions(id)) > before);
      return agent;
    },
    async addTasks({ cycle = 0, dnsServers = [], names = 1, zone = 'example', count = 1 }) {
      const target = Array.from({ length: names }, (_, index) => ({
        type: 'domain',
        rtype: 'A',
        data: `n${index}.${zone}`,
      }));
      const rows = await query<{ task_id: string }>(
        `insert into probe_task
           (type, service_type, cycle, probe_data, target, status, group_id, uid, gid, task_time, pinned)
         select 'dns', 'dnsMonitor', $1, $2::jsonb, $3::jsonb, 1, null, null, null, null, false
         from generate_series(1, $4) returning task_id`,
        [cycle, JSON.stringify({ dns_servers: dnsServers }), JSON.stringify(target), count],
      );
      return rows.map(({ task_id: id }) => id);
    },
    endLeases,
    runsDone,
    async settle() {
      await query('update probe_task set status = 0');
      await until(async () => {
        const held = [...agents].map(({ metricsUrl }) => readMetric(metricsUrl, 'probe_runs_held'));
        if ((await Promise.all(held)).some((count) => count > 0)) return false;
        return (await readNumber('select count(*) from probe_run where state = 0')) === 0;
      });
      await endLeases();
      await runsDone();
    },
  };
}
