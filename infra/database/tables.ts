// The tables as Kysely sees them; migrations/ creates them.
import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { CrontabTask } from '../../contracts/crontab.ts';
import type { DispatchResult, DispatchStatus } from '../../contracts/dispatch.ts';
import type { JobState, JobType } from '../../contracts/job.ts';
import type { SectionRecord, VerboseRow } from '../../contracts/probe.ts';
import type { RunPayload } from '../../contracts/run.ts';
import type { Task } from '../../contracts/task.ts';
import type { SkippedPart } from '../../contracts/task-slot.ts';

type Timestamp = ColumnType<Date, Date | undefined, Date>;
/** `infinity` and `-infinity` are read as numbers. */
type OpenTimestamp = ColumnType<Date | number, Date | undefined, Date>;
/** `jsonb` that may hold any JSON value, `null` as SQL null. */
type Json<Value> = ColumnType<Value, string | null, string | null>;

/** What lease-table.ts needs of a work table. */
export type LeaseColumns = {
  /** bigint: a decimal string. */
  id: Generated<string>;
  due_at: Date;
  /** Too late to be worth doing. */
  expires_at: Date;
  /** 0 ready, 1 leased. */
  state: Generated<0 | 1>;
  /** The fencing token: one more with every claim. */
  attempt: Generated<number>;
  /** Leases that ran out. */
  lapses: Generated<number>;
  lease_until: Date | null;
  /** The session of the process that holds the lease. */
  claimed_by: string | null;
};

/** What kind of worker a job is for: 0 computes, 1 probes. */
export type JobLane = 0 | 1;

export type Tables = {
  probe_task: {
    /** bigint: a decimal string. */
    task_id: Generated<string>;
    type: string;
    service_type: string;
    cycle: number;
    probe_data: JSONColumnType<Task['probe_data']>;
    target: Json<Task['target']>;
    status: Task['status'];
    group_id: number | null;
    uid: Json<Task['uid']>;
    gid: Json<Task['gid']>;
    task_time: Json<Task['task_time']>;
    pinned: boolean;
    created_at: Timestamp;
    updated_at: Timestamp;
    /** The next slot: -infinity when it has yet to be found, infinity when there is none any more. */
    next_at: OpenTimestamp;
    /** The newest slot that was planned. */
    last_at: Date | null;
    /** The caller's own name for the creation, so that it may be repeated. */
    idempotency_key: string | null;
    /** JSON of a `Task`, which Postgres keeps. */
    reply: ColumnType<string, never, never>;
  };
  agent: {
    agent_id: string;
    country: string;
    province: string;
    city: string;
    carrier: string;
    groups: number[];
    resolvers: string[];
    version: string;
    registered_at: Timestamp;
  };
  agent_session: { session_id: string; agent_id: string; started_at: Timestamp; heartbeat_at: Timestamp };
  probe_run: LeaseColumns & {
    task_id: string;
    scheduled_at: Date;
    agent_id: string;
    chunk: number;
    payload: JSONColumnType<RunPayload>;
  };
  probe_slot: {
    scheduled_at: Date;
    task_id: string;
    planned_at: Timestamp;
    expires_at: Date;
    /** What was planned. */
    agents: number;
    runs: number;
    cells: number;
    /** Earlier slots that this one stands for: nobody was there to plan them. */
    missed: number;
    skipped: JSONColumnType<SkippedPart[]>;
  };
  crontab_task: Pick<
    CrontabTask,
    | 'name'
    | 'enable'
    | 'module'
    | 'type'
    | 'start_time'
    | 'time_zone'
    | 'url'
    | 'method'
    | 'resp_regexp'
    | 'body'
    | 'body_type'
    | 'redo_param'
    | 'tags'
    | 'overlap'
    | 'misfire'
    | 'misfire_window'
    | 'delivery'
  > & {
    /** bigint: a decimal string. */
    task_id: Generated<string>;
    timeout_ms: number;
    /** Empty for none. */
    secret: string;
    /** Calls of one target share room. */
    target: string;
    /** When the schedule was stored: the phase of `@every`. */
    anchor_at: Timestamp;
    /** The next time; infinity when there is none, or the task is disabled. */
    next_at: OpenTimestamp;
    /** The newest time that was planned. */
    last_at: Date | null;
    created_at: Timestamp;
    updated_at: Timestamp;
  };
  crontab_run: LeaseColumns & {
    task_id: string;
    /** The nominal time; of a rerun, when it was asked for. */
    scheduled_at: Date;
    run_type: number;
    /** Calls that failed before. */
    try: Generated<number>;
    target: string;
  };
  crontab_log: {
    scheduled_at: Date;
    run_id: string;
    try: number;
    task_id: string;
    name: string;
    run_type: number;
    status: number;
    begin_at: Date;
    end_at: Date;
    method: string;
    url: string;
    body: string;
    resp: string;
    resp_code: number | null;
    err: string;
    missed: Generated<number>;
  };
  dispatch_task: {
    /** bigint: a decimal string. */
    id: Generated<string>;
    /** Of a node of `parallel_run`: the task for all of them. */
    parent_id: string | null;
    name: string;
    /** Of `parallel_run`: its children are what is run. */
    is_parent: Generated<boolean>;
    /** `X-CORRELATION-ID` and `X-RESOURCE` of the request. */
    global_id: string;
    source: string;
    nodes: string[];
    user_name: string;
    forks: number;
    timeout_ms: number;
    /** In the environment of all that the run starts on its nodes. */
    run_key: Generated<string>;
    status: Generated<DispatchStatus>;
    err: string | null;
    /** What is to be run, under a seal; null when nobody needs it any more. */
    work: Buffer | null;
    created_at: Timestamp;
    updated_at: Timestamp;
    started_at: Date | null;
    ended_at: Date | null;
    /** False when its rows of dispatch_event are gone with age. */
    has_events: Generated<boolean>;
  };
  dispatch_node: {
    task_id: string;
    position: number;
    node: string;
    status: Generated<DispatchStatus>;
    ok: Generated<number>;
    changed: Generated<number>;
    failed: Generated<number>;
    skipped: Generated<number>;
    err: string | null;
    started_at: Date | null;
    updated_at: Timestamp;
    ended_at: Date | null;
  };
  /** `id` is that of the task. */
  dispatch_run: LeaseColumns & { is_stop_wanted: Generated<boolean> };
  dispatch_event: {
    task_id: string;
    seq: number;
    global_id: string;
    source: string;
    /** The address of the node. */
    host: string;
    node: string;
    /** Name of the Ansible task. */
    action: string;
    result: DispatchResult;
    started_at: Date;
    ended_at: Date;
    detail: JSONColumnType<Record<string, unknown>>;
  };
  job_task: {
    /** bigint: a decimal string. */
    id: Generated<string>;
    /** A UUID: what callers know it by. */
    task_id: Generated<string>;
    type: JobType;
    state: Generated<JobState>;
    idempotency_key: string | null;
    /** SHA-256 of type and request. */
    request_hash: Buffer;
    /** JSON as it was submitted; null when the job has ended. */
    request: Buffer | null;
    /** JSON; null without success. */
    result: Buffer | null;
    /** Why it failed. */
    info: string | null;
    created_at: Timestamp;
    started_at: Date | null;
    ended_at: Date | null;
  };
  /** `id` is that of the job. */
  job_run: LeaseColumns & { lane: JobLane; is_stop_wanted: Generated<boolean> };
  domain_group: { id: Generated<number>; name: string; domains: string[]; updated_at: Timestamp };
  probe_group_detail: { group_id: number; country: string; province: string; city: string; carrier: string };
  probe_result: {
    scheduled_at: ColumnType<Date, Date, never>;
    task_id: string;
    agent_id: string;
    cell: number;
    finished_at: Timestamp;
    device: JSONColumnType<VerboseRow['device']>;
    domain: string;
    rtype: string;
    dns_server: string;
    status: string;
    delay_ms: number | null;
    lag_ms: number | null;
    transport: 'udp' | 'tcp' | null;
    truncated: boolean;
    tries: number;
    flags: string[];
    answer: Json<SectionRecord[]>;
    authority: Json<SectionRecord[]>;
    additional: Json<SectionRecord[]>;
  };
  local_dns: { country: string; province: string; city: string; carrier: string; ips: string[] };
};
