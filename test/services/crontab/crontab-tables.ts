// A database for the tests of one file, with rows of timed callbacks; emptied before each test.
import { randomUUID } from 'node:crypto';
import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { Tables } from '../../../infra/database/tables.ts';
import { type TestTables, useTestTables } from '../../helpers/test-tables.ts';

type Stored = Selectable<Tables['crontab_task']>;

/** Columns as they are stored; times are milliseconds since the epoch, Infinity for none. */
export type CrontabTaskRow = Partial<
  Omit<Stored, 'task_id' | 'anchor_at' | 'next_at' | 'last_at' | 'created_at' | 'updated_at'>
> & { anchorAt?: number; nextAt?: number; lastAt?: number | null };

/** Milliseconds from now, by the clock of the database. */
type FromNow = number;

export type CrontabRunRow = {
  taskId?: string;
  /** Milliseconds since the epoch. */
  scheduledAt?: number;
  runType?: number;
  try?: number;
  target?: string;
  dueIn?: FromNow;
  expiresIn?: FromNow;
  /** A lease that somebody has. */
  leasedFor?: FromNow;
  attempt?: number;
  lapses?: number;
};

export type StoredTask = Selectable<Tables['crontab_task']>;
export type StoredRun = Selectable<Tables['crontab_run']>;
export type StoredLog = Selectable<Tables['crontab_log']>;

type Query = <Row>(statement: RawBuilder<Row>) => Promise<Row[]>;

/** Rows of timed callbacks in a database. */
export type CrontabRows = {
  /** Resolves with the task's id. A task that is due only when `nextAt` says so; every minute, by POST, to nobody. */
  addTask(row?: CrontabTaskRow): Promise<string>;
  /** Resolves with the run's id. A run that has been due for a second, of a time that no other has. */
  addRun(row?: CrontabRunRow): Promise<string>;
  readTask(id: string): Promise<StoredTask>;
  /** In the order of their times, and of their tasks. */
  readRuns(): Promise<StoredRun[]>;
  /** In the order of their times, runs and tries. */
  readLog(): Promise<StoredLog[]>;
  /** Milliseconds since the epoch, by the clock of the database. */
  readNow(): Promise<number>;
};

export type CrontabTables = CrontabRows & TestTables;

/** Where the times of runs begin that are not told any: the log keeps what is that old. */
const firstRunAt = Math.floor(Date.now() / 1000) * 1000 - 6 * 3_600_000;

/** To be called at the top of a test file. */
export function useCrontabTables({ maxConnections = 8 }: { maxConnections?: number } = {}): CrontabTables {
  const tables = useTestTables([sql`truncate crontab_task, crontab_run, crontab_log`], { maxConnections });
  return Object.assign(tables, createCrontabRows(tables.query));
}

/** The same for a database of the test's own. */
export function createCrontabRows(query: Query): CrontabRows {
  let count = 0;

  async function queryOne<Row>(statement: RawBuilder<Row>): Promise<Row> {
    const [row] = await query(statement);
    if (row === undefined) throw new Error('there is no such row');
    return row;
  }

  return {
    async addTask(row = {}) {
      count += 1;
      const { anchorAt = firstRunAt, nextAt = Infinity, lastAt = null, ...columns } = row;
      const task: Omit<
        Stored,
        'task_id' | 'anchor_at' | 'next_at' | 'last_at' | 'created_at' | 'updated_at'
      > = {
        name: `task ${count}`,
        enable: 1,
        module: 1,
        type: 2,
        start_time: '@every 1m',
        time_zone: 'Asia/Shanghai',
        url: 'http://127.0.0.1:9/',
        method: 'post',
        resp_regexp: '',
        body: '',
        body_type: 1,
        redo_param: '',
        tags: [],
        timeout_ms: 10_000,
        overlap: 'skip',
        misfire: 'fire',
        misfire_window: 3600,
        delivery: 'at_least_once',
        secret: '',
        target: 'http://127.0.0.1:9',
        ...columns,
      };
      const names = Object.keys(task).map((name) => sql.ref(name));
      const { id } = await queryOne(sql<{ id: string }>`
        insert into crontab_task (${sql.join(names)}, anchor_at, next_at, last_at)
        values (${sql.join(Object.values(task))}, ${at(anchorAt)}, ${at(nextAt)}, ${at(lastAt)})
        returning task_id as id`);
      return id;
    },
    async addRun(row = {}) {
      count += 1;
      const { taskId = '1', scheduledAt = firstRunAt + count * 1000, runType = 1, leasedFor } = row;
      const {
        dueIn = -1000,
        expiresIn = 60_000,
        attempt = 0,
        lapses = 0,
        target = 'http://127.0.0.1:9',
      } = row;
      const { id } = await queryOne(sql<{ id: string }>`
        insert into crontab_run (task_id, scheduled_at, run_type, try, target, due_at, expires_at, attempt, lapses, state,
          lease_until, claimed_by)
        values (${taskId}, ${at(scheduledAt)}, ${runType}, ${row.try ?? 0}, ${target}, ${fromNow(dueIn)},
          ${fromNow(expiresIn)}, ${attempt}, ${lapses}, ${leasedFor === undefined ? 0 : 1},
          ${leasedFor === undefined ? sql`null` : fromNow(leasedFor)},
          ${leasedFor === undefined ? null : randomUUID()}::uuid)
        returning id`);
      return id;
    },
    readTask: (id) => queryOne(sql<StoredTask>`select * from crontab_task where task_id = ${id}`),
    readRuns: () => query(sql<StoredRun>`select * from crontab_run order by scheduled_at, task_id, run_type`),
    readLog: () => query(sql<StoredLog>`select * from crontab_log order by scheduled_at, run_id, try`),
    async readNow() {
      return (await queryOne(sql<{ now: Date }>`select clock_timestamp() as now`)).now.getTime();
    },
  };
}

function at(ms: number | null): RawBuilder<Date | null> {
  if (ms === null) return sql`null`;
  return Number.isFinite(ms) ? sql`${new Date(ms)}` : sql`'infinity'::timestamptz`;
}

function fromNow(ms: FromNow): RawBuilder<Date> {
  return sql`now() + ${ms}::float8 * interval '1 ms'`;
}
