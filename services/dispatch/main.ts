// The dispatch service as a process: reads the environment and wires the parts.
import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { dispatchUserSchema, maxDispatchNodes } from '../../contracts/dispatch.ts';
import { dispatchCalls } from '../../contracts/dispatch-api.ts';
import { createDispatchDocument } from '../../contracts/dispatch-openapi.ts';
import {
  apiKeysVariable,
  databaseUrlVariable,
  integerVariable,
  listVariable,
  operationVariables,
  readConfig,
} from '../../infra/config.ts';
import { createDatabase } from '../../infra/database/database.ts';
import { registerApiPage } from '../../infra/http/api-page.ts';
import { createHttpService } from '../../infra/http/http-service.ts';
import { registerCalls } from '../../infra/http/register-calls.ts';
import { runProcess, sequence } from '../../infra/lifecycle.ts';
import { createLogger } from '../../infra/logger.ts';
import { createMetrics } from '../../infra/metrics.ts';
import { cidrSchema, createNetworkPolicy } from '../../infra/network/network-policy.ts';
import { formatDispatchError, statusOfDispatchError } from './api/format-error.ts';
import { createDispatchHandlers } from './api/handlers.ts';
import { listRoles } from './content/list-roles.ts';
import { createOwnFiles, minSealKeyLength, provideSealKey } from './own-files.ts';
import { createPlayer } from './play/player.ts';
import { createAgentRelease } from './release/agent-release.ts';
import { createDispatchRuns } from './run/dispatch-runs.ts';
import { createReplicaMarks } from './run/replica-marks.ts';
import { createSeal } from './seal.ts';

const variables = z.object({
  ...operationVariables,
  DATABASE_URL: databaseUrlVariable,
  DISPATCH_PORT: integerVariable(0, 65535).default(6558),
  DISPATCH_API_KEYS: apiKeysVariable,
  DISPATCH_FOLDER: z.string().default('.data/dispatch'),
  DISPATCH_SSH_KEY: z.string().optional(),
  DISPATCH_KNOWN_HOSTS: z.string().optional(),
  DISPATCH_HOST_KEYS: z
    .enum(['strict', 'accept-new'], { error: 'expected strict or accept-new' })
    .default('strict'),
  DISPATCH_SEAL_KEY: z
    .string()
    .min(minSealKeyLength, `expected at least ${minSealKeyLength} characters`)
    .optional(),
  DISPATCH_ROLES: z.string().optional(),
  DISPATCH_NETWORKS: listVariable(cidrSchema).default([
    '127.0.0.0/8',
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '::1',
    'fc00::/7',
  ]),
  DISPATCH_USER: dispatchUserSchema.default('root'),
  DISPATCH_CONCURRENCY: integerVariable(1, 1000).default(20),
  DISPATCH_MAX_FORKS: integerVariable(1, maxDispatchNodes).default(50),
  DISPATCH_RUN_TIMEOUT: integerVariable(1, 86_400).default(3600),
  DISPATCH_QUEUE_TIMEOUT: integerVariable(1, 604_800).default(3600),
  DISPATCH_RETENTION_DAYS: integerVariable(1, 3650).default(90),
  DISPATCH_DATABASE_CONNECTIONS: integerVariable(2, 100).default(4),
});

/** A thousand nodes, and as much content as is read. */
const bodyLimit = 2 * 1024 * 1024;
/** Of the API, besides those of the runs. */
const apiConnections = 3;
/** Of requests in hand at a stop: runs under way want the rest of it. */
const stopMs = 1000;
/** Longer than its statements may take. */
const upkeepHoldLimitMs = 60_000;
const ownRoles = fileURLToPath(new URL('playbooks/roles', import.meta.url));

await runProcess(() => {
  const env = readConfig(variables, process.env);
  const folder = resolve(env.DISPATCH_FOLDER);
  const sshKeyFile = resolve(env.DISPATCH_SSH_KEY ?? join(folder, 'id_ed25519'));
  const rolesFolder = resolve(env.DISPATCH_ROLES ?? join(folder, 'roles'));
  const roleFolders = [ownRoles, rolesFolder];
  const replica = randomUUID();
  const logger = createLogger('dispatch', env.LOG_LEVEL);
  const metrics = createMetrics();
  const database = createDatabase({
    url: env.DATABASE_URL,
    maxConnections: env.DISPATCH_DATABASE_CONNECTIONS,
    logger,
  });
  // Its own, so that many who ask for states do not keep leases from being renewed.
  const apiDatabase = createDatabase({ url: env.DATABASE_URL, maxConnections: apiConnections, logger });
  const upkeepDatabase = createDatabase({
    url: env.DATABASE_URL,
    maxConnections: 1,
    holdLimitMs: upkeepHoldLimitMs,
    logger,
  });
  const seal = createSeal(env.DISPATCH_SEAL_KEY ?? provideSealKey(folder));
  const marks = createReplicaMarks(join(folder, 'replicas'), replica);
  const files = createOwnFiles({ folder, sshKeyFile, rolesFolder, env: process.env, logger });
  const player = createPlayer({
    folder,
    sshKeyFile,
    knownHostsFile: resolve(env.DISPATCH_KNOWN_HOSTS ?? join(folder, 'known_hosts')),
    hostKeys: env.DISPATCH_HOST_KEYS,
    roleFolders,
    env: process.env,
    logger,
  });
  const findFault = async () => (await player.findFault()) ?? files.provideKey();
  const release = createAgentRelease({ folder: join(folder, 'releases'), logger });
  const runs = createDispatchRuns({
    database,
    upkeepDatabase,
    player: { ...player, findFault },
    seal,
    controllerFilesFor: release.controllerFilesFor,
    replica,
    listGoneReplicas: marks.listGone,
    concurrency: env.DISPATCH_CONCURRENCY,
    retentionDays: env.DISPATCH_RETENTION_DAYS,
    metrics,
    logger,
  });
  const checks = {
    database: { isRequired: true, check: database.isReachable },
    // The other calls work without it.
    ansible: { isRequired: false, check: async () => (await findFault()) === undefined },
  };
  const { api, operation } = createHttpService({
    host: env.HTTP_HOST,
    metricsPort: env.METRICS_PORT,
    port: env.DISPATCH_PORT,
    portVariable: 'DISPATCH_PORT',
    apiKeys: env.DISPATCH_API_KEYS,
    bodyLimit,
    formatError: formatDispatchError,
    statusOf: statusOfDispatchError,
    register(app) {
      const handlers = createDispatchHandlers({
        database: apiDatabase,
        networks: createNetworkPolicy({ allow: env.DISPATCH_NETWORKS, deny: [] }),
        roles: () => listRoles(roleFolders),
        seal: seal.close,
        findFault,
        limits: {
          maxForks: env.DISPATCH_MAX_FORKS,
          defaultUser: env.DISPATCH_USER,
          runTimeoutMs: env.DISPATCH_RUN_TIMEOUT * 1000,
          queueTimeoutMs: env.DISPATCH_QUEUE_TIMEOUT * 1000,
        },
        onRunAdded: runs.wake,
        onStopWanted: runs.stopSoon,
        logger,
      });
      registerCalls(app, dispatchCalls, handlers, logger);
    },
    registerOpen: (app) => registerApiPage(app, createDispatchDocument()),
    checks,
    timeLimits: { stopMs },
    metrics,
    logger,
  });
  const parts = [
    operation,
    database,
    upkeepDatabase,
    apiDatabase,
    { start: files.start },
    { start: marks.start },
    runs,
    api,
  ];
  return { service: sequence(parts), logger };
});
