// What stands in the place of a status of its own for a task of parallel_run.
import { type DispatchStatus, dispatchStatuses } from '../../../contracts/dispatch.ts';

const { waiting, running, succeeded, failed, stopped, partly } = dispatchStatuses;

/** It waits until one child has begun, and runs until all have ended; it is stopped as soon as one of them was. */
export function parentStatus(children: readonly DispatchStatus[]): DispatchStatus {
  const all = (status: DispatchStatus): boolean => children.every((each) => each === status);
  if (all(waiting)) return waiting;
  if (children.includes(waiting) || children.includes(running)) return running;
  if (all(succeeded)) return succeeded;
  if (all(failed)) return failed;
  return children.includes(stopped) ? stopped : partly;
}
