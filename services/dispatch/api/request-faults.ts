// What is wrong with a request, all of it in one line.
import type { z } from 'zod';
import { type Fault, ProbeTaskError } from '../../../contracts/errors.ts';

const maxFaults = 20;
const maxTextLength = 300;

/** `INVALID_REQUEST` with the first 20 faults as `field: reason`, in this order. */
export function refuseRequest(faults: readonly Fault[]): ProbeTaskError {
  const texts = faults
    .slice(0, maxFaults)
    .map(({ path, reason }) => cut(path === '' ? reason : `${path}: ${reason}`));
  const more = faults.length - texts.length;
  return new ProbeTaskError('INVALID_REQUEST', texts.join('; ') + (more > 0 ? `; and ${more} more` : ''));
}

/** The faults that a parse of the body found. A field that is not there is missing, whatever was expected of it. */
export function faultsIn({ issues }: z.ZodError, body: unknown): Fault[] {
  return issues.map(({ path, message }) => {
    const [field] = path;
    const isMissing = path.length === 1 && typeof field === 'string' && !hasField(body, field);
    return { path: path.map(String).join('.'), reason: isMissing ? missing : message };
  });
}

export const missing = 'is missing';

/** Whether the body is an object with a value there; null is one. */
function hasField(body: unknown, field: string): boolean {
  return isObject(body) && Object.hasOwn(body, field);
}

export function isObject(body: unknown): body is object {
  return typeof body === 'object' && body !== null && !Array.isArray(body);
}

/** A reason may name what the caller gave, however long that is. */
function cut(text: string): string {
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength).toWellFormed()}…` : text;
}
