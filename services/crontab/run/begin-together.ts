// Calls that are not to be made once more are written down before they begin: those of one moment together.
import type { Claim } from '../../../infra/database/lease-table.ts';

/**
 * One claim at a time for callers, many at once for `spend`, which resolves with those that are still the holder's: who
 * asks while it is at work goes with the next round. A statement for each of the calls of one second would take all
 * connections for so long that claims and renewals get none. When `spend` fails, all of its round have failed.
 */
export function createBeginOnly(
  spend: (claims: Claim[]) => Promise<Claim[]>,
): (claim: Claim) => Promise<boolean> {
  let gathered: Claim[] = [];
  let next: Promise<Set<string>> | undefined;
  let newest: Promise<unknown> = Promise.resolve();

  async function takeRound(before: Promise<unknown>): Promise<Set<string>> {
    // Whoever was in it hears of its failure.
    await Promise.allSettled([before]);
    const claims = gathered;
    gathered = [];
    next = undefined;
    return new Set((await spend(claims)).map(tokenOf));
  }

  return async (claim) => {
    gathered.push(claim);
    if (next === undefined) {
      next = takeRound(newest);
      newest = next;
    }
    return (await next).has(tokenOf(claim));
  };
}

function tokenOf({ id, attempt }: Claim): string {
  return `${id}:${attempt}`;
}
