// One example request and reply of every call, for the AsyncAPI document; checked by the compiler and by a test.
import type { Heartbeat, Order, OrderReply } from './agent.ts';
import type { ErrorReply } from './errors.ts';
import type { RpcInput, RpcName, RpcReply } from './rpc.ts';
import type { Task } from './task.ts';

const device = { country: '86', province: '440000', city: '440400', carrier: '电信' };

const task: Task = {
  task_id: '17',
  type: 'dns',
  service_type: 'dnsMonitor',
  cycle: 60,
  probe_data: { dns_servers: ['223.5.5.5'] },
  target: [
    { type: 'domain', rtype: 'A', data: 'www.example.com' },
    { type: 'domain_group', rtype: 'AAAA', domain_group_id: 3 },
  ],
  status: 1,
  group_id: 1,
  uid: 1001,
  gid: 100,
  task_time: null,
  pinned: false,
};

const domainGroup = { id: 3, name: 'portals', domains: ['www.example.com', 'www.example.org'] };
const places = [{ group_id: 1, country: '86', province: '440000', city: '*', carrier: '*' }];
const resolvers = { ...device, ips: ['223.5.5.5', '[2400:3200::1]:53'] };
const agent = {
  agent_id: 'zhuhai-1',
  ...device,
  groups: [1],
  resolvers: ['223.5.5.5'],
  load: { running: 2, waiting: 0, capacity: 2000 },
  version: '0.1.0',
};

const row = {
  domain: 'www.example.com',
  delay: 12.6,
  dns_response_status: 'NOERROR',
  dns_server: '223.5.5.5',
  device,
  answer_section: [
    { name: 'www.example.com.', ttl: 61, rdclass: 'IN', rdtype: 'A', result: '93.184.216.34' },
  ],
  authority_section: [],
  additional_section: [],
  agent_id: 'zhuhai-1',
  rtype: 'A',
  transport: 'udp' as const,
  truncated: false,
  tries: 1,
  flags: ['rd', 'ra'],
};

export const rpcExamples: { [Name in RpcName]: { request: RpcInput<Name>; reply: RpcReply<Name> } } = {
  oneShoot: {
    request: {
      probe_data: { dns_servers: ['223.5.5.5'] },
      target: { type: 'domain', rtype: 'A', data: 'www.example.com' },
      group_id: 1,
      regions: [
        [86, 440000, 440400, '电信'],
        [86, 110000],
      ],
      resp_timeout: 3,
    },
    reply: { results: ['93.184.216.34'] },
  },
  oneShootVerbose: {
    request: {
      probe_data: { dns_servers: [] },
      target: [{ type: 'domain', rtype: 'A', data: 'www.example.com' }],
      regions: [['86', '440000', '440400', '电信']],
      resp_timeout: 5,
    },
    reply: {
      results: [row],
    },
  },
  taskGet: { request: { limit: 1000, cursor: '16' }, reply: [task] },
  taskCreate: {
    request: {
      cycle: 60,
      probe_data: task.probe_data,
      target: task.target,
      group_id: 1,
      uid: 1001,
      gid: 100,
      idempotency_key: 'portals-1',
    },
    reply: task,
  },
  taskUpdate: { request: { task_id: '17', status: 0 }, reply: { ...task, status: 0 } },
  taskDelete: { request: { task_id: '17' }, reply: { task_id: '17' } },
  taskResultGet: {
    request: { task_id: '17', from: 1_790_000_000, limit: 100 },
    reply: {
      results: [
        {
          ...row,
          task_id: '17',
          scheduled_at: '2026-09-21T13:33:20.000Z',
          finished_at: '2026-09-21T13:33:21.640Z',
        },
      ],
      next_cursor: null,
    },
  },
  taskSlotGet: {
    request: { task_id: '17', limit: 1 },
    reply: {
      slots: [
        {
          task_id: '17',
          scheduled_at: '2026-09-21T13:33:20.000Z',
          planned_at: '2026-09-21T13:33:20.212Z',
          expires_at: '2026-09-21T13:34:20.000Z',
          missed: 0,
          agents: 2,
          runs: 2,
          cells: 6,
          done: 5,
          late: 0,
          lost: 0,
          expired: 0,
          pending: 1,
          skipped: [{ reason: 'AGENT_AWAY', count: 1, ids: ['beijing-1'] }],
        },
      ],
      next_cursor: 'WyIyMDI2LTA5LTIxVDEzOjMzOjIwLjAwMFoiLCIxNyJd',
    },
  },
  groupDetailGet: { request: {}, reply: places },
  groupDetailSet: { request: { group_id: 1, details: [{ country: 86, province: 440000 }] }, reply: places },
  groupDetailDelete: { request: { group_id: 1 }, reply: { group_id: 1 } },
  domainGroupGet: { request: {}, reply: [domainGroup] },
  domainGroupCreate: {
    request: { name: domainGroup.name, domains: domainGroup.domains },
    reply: domainGroup,
  },
  domainGroupUpdate: { request: { id: 3, name: 'portals' }, reply: domainGroup },
  domainGroupDelete: { request: { id: 3 }, reply: { id: 3 } },
  localDnsGet: { request: {}, reply: [resolvers] },
  localDnsSet: { request: resolvers, reply: resolvers },
  localDnsDelete: { request: device, reply: device },
  agentGet: { request: {}, reply: [{ ...agent, last_seen_ms: 640 }] },
};

export const errorExample: ErrorReply = {
  error: {
    code: 'INVALID_REQUEST',
    status: 400,
    message: 'target.rtype: unknown record type',
    retryable: false,
    details: { faults: [{ path: 'target.rtype', reason: 'unknown record type' }], total: 1 },
  },
};

export const heartbeatExample: Heartbeat = {
  ...agent,
  session: 'b7c2f1d09a4e4a53',
  state: 'ready',
};

export const orderExample: Order = {
  order_id: '4f2a9c',
  budget_ms: 2900,
  servers: ['223.5.5.5'],
  targets: [{ domain: 'www.example.com', rtype: 'A' }],
};

export const orderReplyExample: OrderReply = {
  kind: 'outcomes',
  order_id: '4f2a9c',
  outcomes: [
    {
      cell: 0,
      status: 'NOERROR',
      delay: 12.6,
      transport: 'udp',
      truncated: false,
      tries: 1,
      flags: ['rd', 'ra'],
      answer: [{ name: 'www.example.com.', ttl: 61, rdclass: 'IN', rdtype: 'A', result: '93.184.216.34' }],
      authority: [],
      additional: [],
    },
  ],
};
