// JSON Schema validators (draft-07, and 2020-12 of OpenAPI 3.1) of their own, so that the generated schemas are read by someone else's rules.
import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** Compiles a draft-07 schema; throws when it is no valid schema. */
export function compileJsonSchema(schema: object): ValidateFunction {
  const ajv = new Ajv({ allErrors: false, strict: false });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

/** The same for draft 2020-12. */
export function compileJsonSchema2020(schema: object): ValidateFunction {
  const ajv = new Ajv2020({ allErrors: false, strict: false });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

/** What the validator found wrong, as text to show in a failing test. */
export function describeFaults(validate: ValidateFunction): string {
  return JSON.stringify(validate.errors?.slice(0, 5) ?? [], null, 2);
}
