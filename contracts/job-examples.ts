// An example of every call of the job service: that of its document, and the network that gives it.
import type { z } from 'zod';
import type { jobCalls } from './job-api.ts';
import type { pathRequestSchemas } from './path-request.ts';

type Calls = typeof jobCalls;
type Examples = {
  readonly [Name in keyof Calls]: {
    request: z.input<Calls[Name]['request']>;
    reply: z.input<Calls[Name]['reply']>;
  };
};
type Links = z.input<(typeof pathRequestSchemas)['bod_pasta']>['links'];

const taskId = '90bce047-3a99-4c84-af3a-73b48e296724';

const nodes = [1, 2, 3, 4, 5, 6].map((number) => ({
  id: `P${number}`,
  ip: Array(4).fill(number).join('.'),
  sid: 60_000 + number,
}));

function link(local: number, remote: number, bandwidth: number): Links[number] {
  const sid = 30_000 + local * 10 + remote;
  return {
    id: `P${local}:${sid}`,
    local: `P${local}`,
    remote: `P${remote}`,
    sid,
    igp: 10,
    te: 10,
    bandwidth,
    delay: 100,
  };
}

/** From P1 to P3 there is a short way over P2, and a wider one over P4 and then P5 or P6. */
const links = [
  link(1, 2, 10),
  link(2, 3, 10),
  link(1, 4, 30),
  link(4, 5, 30),
  link(5, 3, 30),
  link(4, 6, 30),
  link(6, 3, 30),
];

/** The same when policy-1 fills the short way. */
const congestedLinks = links.map((each) => (each.bandwidth === 10 ? { ...each, traffic_flow: 9 } : each));

const policy = { id: 'policy-1', headend: 'P1', tailend: 'P3', bandwidth: 5 };
const algorithm = [
  { algo: 0 as const, sorter: 'metric' as const },
  { algo: 1 as const, sorter: 'max_min_band' as const },
];
const request = { nodes, links, sr_policy: policy, global: { algorithm } };

const shortPath = {
  sids: [{ id: 'P3', ip: '3.3.3.3', sid: 60_003 }],
  paths: [['P1', 'P1:30012', 'P2', 'P2:30023', 'P3']],
  segs: [[['P1', 'P1:30012', 'P2', 'P2:30023', 'P3']]],
  attr: { igp: 20, te: 20, delay: 200, min_hop: 2, max_min_band: 10 },
};

const widePath = {
  sids: [
    { id: 'P4', ip: '4.4.4.4', sid: 60_004 },
    { id: 'P3', ip: '3.3.3.3', sid: 60_003 },
  ],
  paths: [
    ['P1', 'P1:30014', 'P4', 'P4:30045', 'P5', 'P5:30053', 'P3'],
    ['P1', 'P1:30014', 'P4', 'P4:30046', 'P6', 'P6:30063', 'P3'],
  ],
  segs: [
    [['P1', 'P1:30014', 'P4']],
    [
      ['P4', 'P4:30045', 'P5', 'P5:30053', 'P3'],
      ['P4', 'P4:30046', 'P6', 'P6:30063', 'P3'],
    ],
  ],
  attr: { igp: 30, te: 30, delay: 300, min_hop: 3, max_min_band: 30 },
};

const ok = { status: true as const, info: [] };
const submitted = { ...ok, data: { task_id: taskId } };

export const jobExamples: Examples = {
  checkStatus: {
    request: { task_id: taskId, type: 'bod_pasta' },
    reply: {
      ...ok,
      data: {
        task_id: taskId,
        task_state: 'SUCCESS',
        task_status: 'SUCCESS',
        info: [],
        data: {
          info: {},
          data: [
            { algo_type: 0, status: true, info: {}, data: { ...shortPath, other: [], time: 0.53 } },
            { algo_type: 1, status: true, info: {}, data: { ...widePath, other: [shortPath], time: 0.78 } },
          ],
        },
      },
    },
  },
  submit: { request: { type: 'bod_pasta', idempotency_key: 'order-4711', ...request }, reply: submitted },
  asyncBodPasta: { request, reply: submitted },
  asyncBodModified: {
    request: {
      ...request,
      sr_policy: { ...policy, bandwidth: 8, former: { path: shortPath.segs, bandwidth: 5 } },
    },
    reply: submitted,
  },
  asyncNonbodPasta: { request, reply: submitted },
  asyncBodReoptimize: {
    request: {
      nodes,
      links: congestedLinks,
      congested_link: ['P1:30012'],
      sr_policy: [{ ...policy, priority: 1, traffic_flow: 9, path: shortPath.segs }],
      global: { algorithm, congest_threshold: 0.8, target_threshold: 0.7 },
    },
    reply: submitted,
  },
  asyncNonbodReoptimize: {
    request: { nodes, links, sr_policy: [policy], global: { algorithm, reopt_mode: 'loose' } },
    reply: submitted,
  },
  cancel: {
    request: { task_id: taskId },
    reply: { ...ok, data: { task_id: taskId, task_state: 'FAILURE' } },
  },
  list: {
    request: { type: 'bod_pasta', state: 'SUCCESS', limit: '1' },
    reply: {
      ...ok,
      data: {
        jobs: [
          {
            task_id: taskId,
            type: 'bod_pasta',
            task_state: 'SUCCESS',
            info: [],
            created_at: '2026-09-20T04:00:00.000Z',
            started_at: '2026-09-20T04:00:00.010Z',
            ended_at: '2026-09-20T04:00:01.320Z',
          },
        ],
        next_cursor: 'WyI0MiJd',
      },
    },
  },
};
