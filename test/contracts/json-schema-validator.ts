// A JSON Schema validator (draft-07) of its own, so that the generated schemas are read by someone else's rules.
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

/** Compiles a draft-07 schema; throws when it is no valid schema. */
export function compileJsonSchema(schema: object): ValidateFunction {
  const ajv = new Ajv({ allErrors: false, strict: false });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

/** What the validator found wrong, as text to show in a failing test. */
export function describeFaults(validate: ValidateFunction): string {
  return JSON.stringify(validate.errors?.slice(0, 5) ?? [], null, 2);
}
