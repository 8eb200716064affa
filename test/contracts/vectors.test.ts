// Runs the shared vectors through the decoders, and checks that the vectors leave nothing out.
import { describe, expect, test } from 'vitest';
import { decodeReply, decodeRequest } from '../../contracts/decode.ts';
import { errorCatalog, ProbeTaskError } from '../../contracts/errors.ts';
import type { Rpc } from '../../contracts/rpc.ts';
import { rpcs } from '../../contracts/rpc.ts';
import type { Vector } from './vector-file.ts';
import { expandRepeats, readVectors } from './vector-file.ts';

const vectors = readVectors();
const rpcBySubject = new Map<string, Rpc>(Object.values(rpcs).map((rpc) => [rpc.subject, rpc]));

describe.each([...new Set(vectors.map(({ file }) => file))])('%s', (file) => {
  test.each(vectors.filter((vector) => vector.file === file))('$name', (vector) => {
    const outcome = decode(vector);
    if (vector.expect.verdict === 'ok') {
      expect(outcome).not.toBeInstanceOf(ProbeTaskError);
      const { normalized } = vector.expect;
      if (normalized !== undefined) expect(outcome).toEqual(expandRepeats(normalized));
      return;
    }
    expect(outcome).toMatchObject({ name: 'ProbeTaskError', code: vector.expect.code });
    if (vector.expect.path !== undefined) {
      expect(outcome).toMatchObject({
        details: { faults: expect.arrayContaining([expect.objectContaining({ path: vector.expect.path })]) },
      });
    }
  });
});

describe('the vectors together', () => {
  test('are at least 80, each with a name of its own', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(80);
    expect(new Set(vectors.map(({ name }) => name)).size).toBe(vectors.length);
  });

  test('cover every subject in both directions, with accepted and refused messages', () => {
    const covered = new Set(vectors.map((vector) => `${vector.direction} ${vector.subject}`));
    const refused = new Set(
      vectors
        .filter(({ direction, expect }) => direction === 'request' && expect.verdict === 'error')
        .map(({ subject }) => subject),
    );
    for (const { subject } of Object.values(rpcs)) {
      expect(covered).toContain(`request ${subject}`);
      expect(covered).toContain(`reply ${subject}`);
      expect(refused).toContain(subject);
    }
    for (const { subject } of vectors) expect([...rpcBySubject.keys()]).toContain(subject);
  });

  test('cover every error code', () => {
    const codes = vectors.flatMap(({ expect }) => (expect.verdict === 'error' ? [expect.code] : []));
    expect(new Set(codes)).toEqual(new Set(Object.keys(errorCatalog)));
  });
});

function decode(vector: Vector): unknown {
  const rpc = rpcBySubject.get(vector.subject);
  if (rpc === undefined) throw new Error(`no call has the subject ${vector.subject}`);
  try {
    return vector.direction === 'request'
      ? decodeRequest(rpc, vector.octets)
      : decodeReply(rpc, vector.octets);
  } catch (error) {
    if (error instanceof ProbeTaskError) return error;
    throw error;
  }
}
