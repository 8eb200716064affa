// Reads the shared vectors: checks the form of each file and expands its repeat notation.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isErrorCode } from '../../contracts/errors.ts';

const knownCode = z.string().refine(isErrorCode, { error: 'not in the catalogue' });

const folder = join(import.meta.dirname, '../../contracts/vectors');

const vectorSchema = z
  .strictObject({
    name: z.string().min(1),
    subject: z.string().min(1),
    direction: z.enum(['request', 'reply']),
    body: z.json().optional(),
    raw: z.union([z.strictObject({ text: z.string() }), z.strictObject({ base64: z.base64() })]).optional(),
    expect: z.discriminatedUnion('verdict', [
      z.strictObject({ verdict: z.literal('ok'), normalized: z.json().optional() }),
      z.strictObject({ verdict: z.literal('error'), code: knownCode, path: z.string().optional() }),
    ]),
    /** What a live gateway answers where that is not decided by the message alone. */
    gateway: z.strictObject({ code: knownCode }).optional(),
  })
  .refine((vector) => (vector.body === undefined) !== (vector.raw === undefined), {
    error: 'expected either body or raw',
  });
type VectorEntry = z.infer<typeof vectorSchema>;

export type Vector = Omit<VectorEntry, 'body' | 'raw'> & { file: string; octets: Uint8Array };

/** Every vector with the octets of its message, in the order of the files. */
export function readVectors(): Vector[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .flatMap((file) => {
      const entries = z.array(vectorSchema).parse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
      return entries.map(({ body, raw, ...rest }) => ({ ...rest, file, octets: encodeBody({ body, raw }) }));
    });
}

function encodeBody({ body, raw }: Pick<VectorEntry, 'body' | 'raw'>): Uint8Array {
  if (raw === undefined) return Buffer.from(JSON.stringify(expandRepeats(body ?? null)));
  return 'text' in raw ? Buffer.from(raw.text) : Buffer.from(raw.base64, 'base64');
}

const repeatedText = z.strictObject({ $text: z.array(z.tuple([z.string(), z.int().min(0)])) });
const repeatedItem = z.strictObject({ $list: z.tuple([z.json(), z.int().min(0)]) });

/** `{"$text": [[text, count], …]}` becomes one string, `{"$list": [item, count]}` an array of equal items. */
export function expandRepeats(value: z.core.util.JSONType): z.core.util.JSONType {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(expandRepeats);
  const text = repeatedText.safeParse(value);
  if (text.success) return text.data.$text.map(([part, count]) => part.repeat(count)).join('');
  const list = repeatedItem.safeParse(value);
  if (list.success) return Array(list.data.$list[1]).fill(expandRepeats(list.data.$list[0]));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expandRepeats(item)]));
}
