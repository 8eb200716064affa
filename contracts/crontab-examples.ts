// An example of every call of the crontab service: those of its document, written as JSON, and those beyond it.
import type { z } from 'zod';
import type { crontabCalls } from './crontab-api.ts';

type Calls = typeof crontabCalls;
type Examples = {
  readonly [Name in keyof Calls]: {
    request: z.input<Calls[Name]['request']>;
    reply: z.input<Calls[Name]['reply']>;
  };
};

const key = { task_id: '12345', name: '定时改价' };
const done = { state: 0, msg: '', data: { task_result: [{ ...key, err: '', state: 0 }] } };
const url = 'http://127.0.0.1:8080/path/aa';
const body = '{"price":1}';

export const crontabExamples: Examples = {
  addTask: {
    request: {
      task_list: [
        {
          name: '定时改价',
          enable: 1,
          module: 2,
          type: 4,
          start_time: '0 30 9 * * *',
          url,
          method: 'post',
          resp_regexp: '*',
          body,
          body_type: 1,
          redo_param: '2 4 8',
        },
        {
          name: '任务名称',
          enable: 1,
          module: 2,
          type: 1,
          start_time: 1767225600,
          url: '127.0.0.1:8081/Arith.Mul',
          method: 'rpc',
          body: '{"a":6,"b":7}',
        },
      ],
    },
    reply: {
      state: 0,
      msg: '',
      data: {
        task_result: [
          { ...key, err: '', state: 0 },
          { task_id: '', name: '任务名称', err: 'start_time: lies in the past', state: 3 },
        ],
      },
    },
  },
  updateTask: {
    request: { task_list: [{ task_id: 12345, start_time: '0 0 10 * * *', redo_param: '2 4 8' }] },
    reply: done,
  },
  queryTaskStatus: {
    request: { task_list: [{ task_id: 12345 }, { name: '任务名称' }], limit: 100 },
    reply: {
      state: 0,
      msg: '',
      data: {
        log_list: [
          {
            ...key,
            run_type: 1,
            status: 2,
            begin_time: '2026-01-01T01:30:00.004Z',
            end_time: '2026-01-01T01:30:00.021Z',
            url,
            body,
            resp: '{"code":0}',
            scheduled_time: '2026-01-01T01:30:00.000Z',
            run_id: 'crontab_81985529216486895',
            try: 0,
            method: 'post',
            resp_code: 200,
            err: '',
            missed: 0,
          },
        ],
        task_result: [
          { task_id: '', name: '任务名称', err: 'name: there is no task of this name', state: 5 },
        ],
        next_cursor: null,
      },
    },
  },
  runAgainTask: { request: { task_list: [{ task_id: 12345 }] }, reply: done },
  listTask: {
    request: { module: 2, limit: 100 },
    reply: {
      state: 0,
      msg: '',
      data: {
        task_list: [
          {
            ...key,
            enable: 1,
            module: 2,
            type: 4,
            start_time: '0 30 9 * * *',
            time_zone: 'Asia/Shanghai',
            url,
            method: 'post',
            resp_regexp: '*',
            body,
            body_type: 1,
            redo_param: '2 4 8',
            tags: [],
            timeout: 10,
            overlap: 'skip',
            misfire: 'fire',
            misfire_window: 3600,
            delivery: 'at_least_once',
            has_secret: false,
            next_time: '2026-01-02T01:30:00.000Z',
            last_time: '2026-01-01T01:30:00.000Z',
            created_time: '2025-12-31T08:00:00.000Z',
            updated_time: '2025-12-31T08:00:00.000Z',
          },
        ],
        next_cursor: null,
      },
    },
  },
  deleteTask: { request: { task_list: [{ task_id: 12345 }] }, reply: done },
  pauseTask: { request: { task_list: [{ name: '定时改价' }] }, reply: done },
  resumeTask: { request: { task_list: [{ name: '定时改价' }] }, reply: done },
  preview: {
    request: { type: 4, start_time: '0 30 9 * * *', time_zone: 'Asia/Shanghai', count: 2 },
    reply: {
      state: 0,
      msg: '',
      data: {
        time_zone: 'Asia/Shanghai',
        times: ['2026-01-01T09:30:00+08:00', '2026-01-02T09:30:00+08:00'],
      },
    },
  },
};
