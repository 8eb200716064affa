// The query of a request as an object, each value a text.
import { type Fault, invalidRequest } from '../../contracts/errors.ts';

/**
 * What follows the `?` of a URL. A parameter without a value is none; throws `INVALID_REQUEST` for those that come twice,
 * whatever they say.
 */
export function readQuery(url: string): Record<string, string> {
  const mark = url.indexOf('?');
  const given = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  const values = new Map<string, string>();
  const faults: Fault[] = [];
  for (const [name, value] of given) {
    if (values.has(name)) faults.push({ path: name, reason: 'is given more than once' });
    values.set(name, value);
  }
  if (faults.length > 0) throw invalidRequest(faults);
  return Object.fromEntries([...values].filter(([, value]) => value !== ''));
}
