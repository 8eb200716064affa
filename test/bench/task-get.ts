// The list of ten thousand tasks, beside a bare NATS reply of as many octets.
import { Client } from 'pg';
import { z } from 'zod';
import { subjects } from '../../contracts/subjects.ts';
import { taskListReplySchema } from '../../contracts/task.ts';
import { startCaller } from './contenders/caller.ts';
import { type Bench, verify } from './harness/bench.ts';
import { figureOf, takeTurns } from './harness/compare.ts';
import { quantile } from './harness/statistics.ts';

const taskCount = 10_000;
const subject = subjects.taskGet;
const bareSubject = 'bench.bare';

export const taskGet: Bench = {
  name: 'task-get',
  summary: 'probe.task.get with 10,000 tasks, beside a bare NATS request-reply of as many octets',

  async run(context) {
    const { isQuick, platform, startWorker, startService, keep } = context;
    const natsUrl = await platform.natsUrl();
    const database = keep(await platform.createDatabase());
    await addTasks(database.url);
    await startService('gateway', { NATS_URL: natsUrl, DATABASE_URL: database.url });
    const { call } = await startCaller(context);

    const [list] = (await call({ subject, count: 1 })).replies;
    verify(list !== undefined, 'no reply');
    const octets = Buffer.byteLength(list.text);
    parseTasks(list.text);
    const responder = await startWorker('answer-subject');
    await responder.run({ natsUrl, subject: bareSubject, octets }, z.unknown());

    const calls = isQuick ? 10 : 40;
    const ours: number[][] = [];
    const bare: number[][] = [];
    async function measure(into: number[][], target: string): Promise<void> {
      const { latenciesMs, replies } = await call({ subject: target, count: calls });
      const expected = target === subject ? list?.text : 'x'.repeat(octets);
      verify(replies.length === 1 && replies[0]?.text === expected, `${target}: another reply`);
      into.push(latenciesMs);
    }
    const changed: number[][] = [];
    /** The list as it is when it cannot be the one of the call before. */
    async function measureChanged(): Promise<void> {
      const round: number[] = [];
      for (let index = 0; index < calls / 5; index += 1) {
        const cycle = 61 + index;
        await changeTask(database.url, cycle);
        const { latenciesMs, replies } = await call({ subject, count: 1 });
        const tasks = parseTasks(replies[0]?.text ?? '');
        const isChanged = tasks.filter((task) => task.cycle === cycle).length === 1;
        verify(isChanged, 'a list without the last change');
        round.push(...latenciesMs);
      }
      // As it was for the others, and known to the gateway.
      await changeTask(database.url, 60);
      await call({ subject, count: 1 });
      changed.push(round);
    }
    await takeTurns(isQuick ? 3 : 9, [
      () => measure(ours, subject),
      () => measure(bare, bareSubject),
      measureChanged,
    ]);

    const at = (share: number, rounds: number[][]) => rounds.map((round) => quantile(round, share));
    const peer = `bare reply of ${octets.toLocaleString('en-US')} octets`;
    return {
      figures: [
        figureOf({
          metric: 'p50',
          unit: 'ms',
          ours: at(0.5, ours),
          beside: { peer, samples: at(0.5, bare) },
          target: { of: 'ratio', atMost: 4 },
        }),
        figureOf({
          metric: 'p99',
          unit: 'ms',
          ours: at(0.99, ours),
          beside: { peer, samples: at(0.99, bare) },
        }),
        figureOf({
          metric: 'p50, a task changed before each call',
          unit: 'ms',
          ours: at(0.5, changed),
          beside: { peer, samples: at(0.5, bare) },
        }),
      ],
    };
  },
};

/** Throws unless each task is there, once. */
function parseTasks(text: string): z.infer<typeof taskListReplySchema> {
  const tasks = taskListReplySchema.parse(JSON.parse(text));
  const ids = new Set(tasks.map(({ task_id: id }) => id));
  verify(tasks.length === taskCount, `${tasks.length} tasks of ${taskCount}`);
  verify(ids.size === taskCount, `${tasks.length} tasks have ${ids.size} ids`);
  return tasks;
}

async function changeTask(databaseUrl: string, cycle: number): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('update probe_task set cycle = $1 where task_id = $2', [cycle, taskCount / 2]);
  } finally {
    await client.end();
  }
}

/** Of what tasks are made of as a rule: two names, one server, half of them in a group. */
async function addTasks(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `insert into probe_task
         (type, service_type, cycle, probe_data, target, status, group_id, uid, gid, task_time, pinned)
       select 'dns', 'dnsMonitor', 60, '{"dns_servers": ["192.0.2.53"]}',
         jsonb_build_array(
           jsonb_build_object('type', 'domain', 'rtype', 'A', 'data', 'www' || n || '.example.com'),
           jsonb_build_object('type', 'domain', 'rtype', 'AAAA', 'data', 'www' || n || '.example.com')),
         0, case when n % 2 = 0 then n end, null, null, null, false
       from generate_series(1, $1) n`,
      [taskCount],
    );
  } finally {
    await client.end();
  }
}
