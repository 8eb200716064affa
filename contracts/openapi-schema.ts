// A schema of the contracts as an OpenAPI 3.1 document has it (JSON Schema 2020-12).
import { z } from 'zod';
import type { JsonSchema } from './json-schemas.ts';

export type SchemaContext = {
  /** By the name of a field: what its schema cannot say. */
  notes: Readonly<Record<string, string>>;
  /** Schemas that stand in the document once, by their names there; everywhere else is a reference. */
  names: ReadonlyMap<unknown, string>;
};

/** As seen by whoever writes the message: fields with a default are optional. */
export function schemaOf(schema: z.ZodType, { notes, names }: SchemaContext): JsonSchema {
  const noteOn = (field: string) => (Object.hasOwn(notes, field) ? notes[field] : undefined);
  const { $schema: _, ...given } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    override({ zodSchema, jsonSchema, path }) {
      const name = names.get(zodSchema);
      if (name !== undefined && path.length > 0) {
        for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
        jsonSchema.$ref = referenceTo(name);
      }
      const note = path.at(-2) === 'properties' ? noteOn(String(path.at(-1))) : undefined;
      if (note !== undefined) jsonSchema.description = note;
    },
  });
  correctNotes(given, '', noteOn);
  return given;
}

/** Where the schemas of a document stand. */
export function referenceTo(name: string): string {
  return `#/components/schemas/${name}`;
}

/** A schema that several fields share has the note of the first of them everywhere. */
function correctNotes(node: unknown, field: string, noteOn: (field: string) => string | undefined): void {
  if (typeof node !== 'object' || node === null) return;
  if ('description' in node && node.description !== noteOn(field)) delete node.description;
  for (const [key, value] of Object.entries(node)) {
    if (key !== 'properties') correctNotes(value, field, noteOn);
    else if (typeof value === 'object' && value !== null) {
      for (const [name, schema] of Object.entries(value)) {
        const note = noteOn(name);
        if (typeof schema === 'object' && schema !== null && note !== undefined) {
          Reflect.set(schema, 'description', note);
        }
        correctNotes(schema, name, noteOn);
      }
    }
  }
}
