// The tables as Kysely sees them; migrations/ creates them.
import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { SectionRecord, VerboseRow } from '../../contracts/probe.ts';
import type { Task } from '../../contracts/task.ts';

type Timestamp = ColumnType<Date, Date | undefined, Date>;
/** `jsonb` that may hold any JSON value, `null` as SQL null. */
type Json<Value> = ColumnType<Value, string | null, string | null>;

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
  };
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
