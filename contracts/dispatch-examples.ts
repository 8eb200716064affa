// An example of every call of the dispatch channel: those of its document, written as JSON.
import type { z } from 'zod';
import { type dispatchCalls, dispatchCodes } from './dispatch-api.ts';

type Calls = typeof dispatchCalls;
type Examples = {
  readonly [Name in keyof Calls]: {
    request: z.input<Calls[Name]['request']>;
    reply: z.input<Calls[Name]['reply']>;
  };
};

const code = dispatchCodes.success;
const key = { id: 1, name: 'task1' };
const node = '192.201.11.31';
const run = {
  nodes: [node],
  user: 'root',
  name: '192.201.11.31_install_nginx_1501169594802406967',
  content: '[{"action": {"module": "package", "args": {"name": "nginx", "state": "present"}}}]',
  params: '{"http_port": 8080}',
  fork_num: 5,
};

export const dispatchExamples: Examples = {
  run: { request: run, reply: { code, content: { id: 2 } } },
  stop: { request: key, reply: { code, content: {} } },
  check: {
    request: key,
    reply: {
      code,
      content: {
        create_time: 'Wed, 17 Aug 2016 18:38:17 GMT',
        err: null,
        id: 7,
        log: '[{"host":"123.207.136.186","task":"wait","result":"ok","start":"2016-08-17T18:38:18.000Z","end":"2016-08-17T18:38:20.000Z","module":"command","changed":true}]',
        nodes: '["123.207.136.186"]',
        status: 4,
        update_time: 'Wed, 17 Aug 2016 18:38:22 GMT',
        node_results: [
          {
            node: '123.207.136.186',
            status: 4,
            ok: 1,
            changed: 1,
            failed: 0,
            skipped: 0,
            err: null,
            start_time: 'Wed, 17 Aug 2016 18:38:18 GMT',
            end_time: 'Wed, 17 Aug 2016 18:38:22 GMT',
          },
        ],
      },
    },
  },
  getlog: {
    request: { host: '127.0.0.1', source: 'hubble' },
    reply: [
      'global_id = 16-16, source = hubble, create_time = 2017-07-27T16:37:04Z, end_time = 2017-07-27T16:37:05Z, host = 127.0.0.1, reuslt = ok',
    ],
  },
  parallelRun: {
    request: { ...run, name: 'install_nginx_1501169594802406967' },
    reply: { code, content: { id: 3, children: [{ id: 4, node }] } },
  },
};
