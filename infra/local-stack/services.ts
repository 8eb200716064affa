// The services of the local stack: one row each. They start side by side and are printed in this order.

/** A port that callers know; another one is taken when it is not free. */
export type ServicePort = {
  /** Sets it, for the service and for whoever starts the stack. */
  variable: string;
  preferred: number;
};

export type StackService = {
  /** Of the process, its log and its row in stack.json. */
  name: string;
  /** Path of its main file, relative to the root of the repository. */
  script: string;
  /** On top of what every service gets: NATS_URL, DATABASE_URL, METRICS_PORT. */
  env: Record<string, string>;
  /** Of its API, where it has one over HTTP. */
  port?: ServicePort;
  /** Where it keeps files, if it does: below the data folder unless the variable says where. */
  folder?: { variable: string; name: string };
};

/** Ports for metrics go by the place in this table: a new row goes last. */
export const stackServices: readonly StackService[] = [
  { name: 'gateway', script: 'services/gateway/main.ts', env: {} },
  { name: 'scheduler', script: 'services/scheduler/main.ts', env: {} },
  agentAt('agent-440400-ct', { province: '440000', city: '440400', carrier: '电信' }),
  agentAt('agent-110100-cu', { province: '110000', city: '110100', carrier: '联通' }),
  agentAt('agent-310100-cm', { province: '310000', city: '310100', carrier: '移动' }),
  {
    name: 'crontab',
    script: 'services/crontab/main.ts',
    env: {},
    port: { variable: 'CRONTAB_PORT', preferred: 6557 },
  },
  {
    name: 'dispatch',
    script: 'services/dispatch/main.ts',
    env: {},
    port: { variable: 'DISPATCH_PORT', preferred: 6558 },
    folder: { variable: 'DISPATCH_FOLDER', name: 'dispatch' },
  },
  {
    name: 'job',
    script: 'services/job/main.ts',
    env: {},
    port: { variable: 'JOB_PORT', preferred: 6559 },
  },
];

function agentAt(id: string, place: { province: string; city: string; carrier: string }): StackService {
  return {
    name: id,
    script: 'services/agent/main.ts',
    env: {
      AGENT_ID: id,
      AGENT_COUNTRY: '86',
      AGENT_PROVINCE: place.province,
      AGENT_CITY: place.city,
      AGENT_CARRIER: place.carrier,
    },
  };
}
