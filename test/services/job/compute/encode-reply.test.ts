// Replies as JSON, piece by piece.
import { describe, expect, test } from 'vitest';
import type { PathReply } from '../../../../contracts/path-reply.ts';
import { encodeReply } from '../../../../services/job/compute/encode-reply.ts';

const path = {
  sids: [{ id: '节点', ip: '3.3.3.3', sid: 60003 }],
  paths: [['P1', 'P1:30012', '节点']],
  segs: [[['P1', 'P1:30012', '节点']]],
  attr: { igp: 20, te: 20, delay: 200, min_hop: 2, max_min_band: 10 },
  other: [],
  time: 0.001,
};
const replies: PathReply[] = [
  { info: {}, data: [] },
  {
    info: {},
    data: [
      { algo_type: 0, status: true, info: {}, data: path },
      { algo_type: 1, status: false, info: {}, data: {} },
    ],
  },
  {
    info: {},
    data: [
      {
        algo_type: 1,
        status: true,
        info: {},
        data: [
          { id: 'a', data: path },
          { id: 'b', data: path },
        ],
      },
    ],
  },
  { info: {}, data: [{ algo_type: 1, status: true, info: {}, data: [] }] },
];

describe('a reply', () => {
  test('is what JSON.stringify makes of it', () => {
    for (const reply of replies) {
      expect(Buffer.from(encodeReply(reply, 10_000) ?? []).toString()).toBe(JSON.stringify(reply));
    }
  });

  test('has as many octets as are allowed, or is none', () => {
    for (const reply of replies) {
      const { length } = Buffer.from(JSON.stringify(reply));
      expect(encodeReply(reply, length)).toHaveLength(length);
      expect(encodeReply(reply, length - 1)).toBeUndefined();
    }
  });
});
