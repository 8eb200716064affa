// What a task carries for the replica that runs it: written by the API, and stored under a seal.
import { z } from 'zod';

/** A JSON object. */
export const jsonObjectSchema = z.record(z.string(), z.json());

/** Checked before it was sealed, so only its form is looked at. */
export const workSchema = z.object({
  content: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('tasks'), tasks: z.array(jsonObjectSchema) }),
    z.object({ kind: z.literal('roles'), roles: z.array(z.string()) }),
  ]),
  params: jsonObjectSchema,
  /** To be blotted out wherever they appear. */
  secretTexts: z.array(z.string()),
});
export type Work = z.infer<typeof workSchema>;
