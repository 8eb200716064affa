// Jobs of the real service: from the submission to the result, whatever happens to processes and threads in between.
import { describe, expect, inject, test, vi } from 'vitest';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { startJobPlatform } from '../../helpers/job-platform.ts';
import {
  congestedRequest,
  slowRequest,
  smallPolicy,
  smallRequest,
  twoNodes,
} from '../../helpers/job-requests.ts';
import { startNatsServer } from '../../helpers/nats.ts';
import { startWildcardServer } from '../../helpers/wildcard-server.ts';

// Each computes for seconds: on a machine with much else to do that takes its time.
vi.setConfig({ testTimeout: 60_000 });

const natsUrl = inject('natsUrl');
const success = { task_state: 'SUCCESS', task_status: 'SUCCESS', info: [] };
/** It goes on for minutes. */
const endless = slowRequest(500);

describe('a job of each type that computes', () => {
  test('is submitted, polled and answered', async () => {
    const platform = await startJobPlatform({ natsUrl });
    const replica = await platform.startReplica();
    const requests = {
      bod_pasta: smallRequest,
      nonbod_pasta: smallRequest,
      bod_modified: { ...twoNodes, sr_policy: { ...smallPolicy, former: { path: [], bandwidth: 0 } } },
      bod_reopt: { ...twoNodes, sr_policy: [smallPolicy] },
      nonbod_reopt: { ...twoNodes, sr_policy: [smallPolicy] },
      bod_congest_reopt: congestedRequest,
    };
    for (const [type, request] of Object.entries(requests)) {
      const taskId = await replica.submit(type, request);
      const status = await replica.finished(type, taskId);
      expect(status, type).toMatchObject({ ...success, task_id: taskId, data: { info: {} } });
      expect(status.data, type).toMatchObject({
        data: [
          { algo_type: 0, status: true },
          { algo_type: 1, status: true },
        ],
      });
    }
    const { data } = await replica.finished('bod_pasta', await replica.submit('bod_pasta', smallRequest));
    const found = {
      sids: [{ id: 'P2', ip: '2.2.2.2', sid: 60002 }],
      paths: [['P1', 'P1:30012', 'P2']],
      attr: { igp: 10, te: 10, delay: 100, min_hop: 1, max_min_band: 10 },
    };
    expect(data).toMatchObject({ data: [{ data: found }, { data: found }] });
    expect(await platform.readNumber('select count(*) from job_run')).toBe(0);
    expect(await platform.readNumber('select count(*) from job_task where request is not null')).toBe(0);
  });
});

describe('of two replicas', () => {
  test('one finishes what the other computed when it was killed', async () => {
    const platform = await startJobPlatform({ natsUrl });
    const first = await platform.startReplica();
    const second = await platform.startReplica();
    // Whoever is told of a job has it first.
    const taskId = await first.submit('nonbod_reopt', slowRequest(3));
    await platform.begun(taskId);
    expect(await second.check('nonbod_reopt', taskId)).toMatchObject({ task_state: 'PENDING' });
    await first.kill();
    await platform.endLeases();
    expect(await second.finished('nonbod_reopt', taskId)).toMatchObject(success);
    expect(await platform.readNumber('select count(*) from job_run')).toBe(0);
  });
});

describe('a job that its process dies of', () => {
  test('fails alone: those that were there with it end well, and the replica that has it next stays', async () => {
    const platform = await startJobPlatform({ natsUrl });
    const limits = { JOB_MEMORY_MB: '64', JOB_THREADS: '2' };
    const first = await platform.startReplica(limits);
    const running = await first.submit('nonbod_reopt', slowRequest(2));
    await platform.begun(running);
    // Taken by a replica with more memory, say: to parse it takes more than there is, and a parser cannot be ended.
    const poisonous = `{"nodes": [${'{},'.repeat(4_000_000)}{}]}`;
    const small = JSON.stringify(smallRequest);
    const added = await platform.query<{ task_id: string }>(
      `with job as (
         insert into job_task (type, request_hash, request)
         select 'bod_pasta', '', convert_to(request, 'UTF8') from unnest($1::text[]) as request
         returning id, task_id),
       run as (insert into job_run (id, lane, expires_at) select id, 0, now() + interval '1 h' from job)
       select task_id from job order by id`,
      [[poisonous, small, small]],
    );
    const [poison = '', ...others] = added.map(({ task_id: taskId }) => taskId);
    expect(await first.exited).toMatchObject({ signal: 'SIGABRT' });
    await platform.endLeases();

    const second = await platform.startReplica(limits);
    for (const taskId of others) expect(await second.finished('bod_pasta', taskId)).toMatchObject(success);
    expect(await second.finished('bod_pasta', poison)).toMatchObject({
      task_state: 'FAILURE',
      info: 'the computation ended its process (SIGABRT)',
      data: [],
    });
    expect(await second.finished('nonbod_reopt', running)).toMatchObject(success);
  });
});

describe('a job that is cancelled', () => {
  test('ends, whether it waits or is computed, and gives its thread to others', async () => {
    const platform = await startJobPlatform({ natsUrl });
    const replica = await platform.startReplica();
    const running = await replica.submit('nonbod_reopt', endless);
    await platform.begun(running);
    const [waiting, after] = [
      await replica.submit('nonbod_reopt', endless),
      await replica.submit('bod_pasta', smallRequest),
    ];
    for (const taskId of [waiting, running]) {
      const { body } = await replica.call('POST', '/api/job/cancel', { task_id: taskId });
      expect(body).toMatchObject({ status: true, data: { task_id: taskId, task_state: 'FAILURE' } });
      expect(await replica.check('nonbod_reopt', taskId)).toMatchObject({
        task_state: 'FAILURE',
        info: 'cancelled',
      });
    }
    expect(await replica.finished('bod_pasta', after)).toMatchObject(success);
    expect(await platform.readNumber('select count(*) from job_run')).toBe(0);
  });
});

describe('a job that probes', () => {
  test('waits while the bus is away, and has the rows of all its parts when it is back', async () => {
    const nats = keepUntilTestEnd(await startNatsServer());
    await nats.kill();
    const platform = await startJobPlatform({ natsUrl: nats.url });
    const replica = await platform.startReplica();
    const names = Array.from({ length: 40 }, (_, index) => `n${index}.bulk.example`);
    const taskId = await replica.submit('dns_result', {
      target: names.map((data) => ({ type: 'domain', rtype: 'A', data })),
      probe_data: { dns_servers: [await startWildcardServer('bulk.example')] },
    });
    expect(await platform.query('select attempt from job_run')).toEqual([{ attempt: 0 }]);
    await nats.restart();
    await platform.start('agent', {
      AGENT_ID: 'one',
      AGENT_COUNTRY: '86',
      AGENT_PROVINCE: '1',
      AGENT_CITY: '1',
      AGENT_CARRIER: '电信',
    });
    // It takes parts of ten cells at the most.
    await platform.start('gateway', { GATEWAY_MAX_CELLS: '10' });
    const status = await replica.finished('dns_result', taskId);
    expect(status).toMatchObject({ ...success, data: { info: {} } });
    const row = {
      dns_response_status: 'NOERROR',
      agent_id: 'one',
      answer_section: [{ result: '192.0.2.1' }],
    };
    expect(status.data).toMatchObject({ data: { results: names.map((domain) => ({ ...row, domain })) } });
  });
});
