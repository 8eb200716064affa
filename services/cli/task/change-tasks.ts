// Pauses, resumes or deletes tasks one after the other; one that fails leaves the others alone.
import type { RpcInput } from '../../../contracts/rpc.ts';
import { type Caller, FailedCall } from '../call-bus.ts';
import type { TaskChange } from './task-arguments.ts';

export type ChangedTask =
  /** `body` is the reply as it came. */
  | { taskId: string; kind: 'changed'; body: Uint8Array }
  | { taskId: string; kind: 'failed'; failure: FailedCall };

/** One entry for each id, in their order, as soon as it is done. */
export async function* changeTasks(
  caller: Caller,
  change: TaskChange,
  taskIds: readonly string[],
): AsyncGenerator<ChangedTask, void, void> {
  for (const taskId of taskIds) yield await tryChange(caller, change, taskId);
}

async function tryChange(caller: Caller, change: TaskChange, taskId: string): Promise<ChangedTask> {
  try {
    const { body } = await changeTask(caller, change, taskId);
    return { taskId, kind: 'changed', body };
  } catch (error) {
    if (!(error instanceof FailedCall)) throw error;
    return { taskId, kind: 'failed', failure: error };
  }
}

function changeTask(caller: Caller, change: TaskChange, taskId: string): Promise<{ body: Uint8Array }> {
  if (change === 'delete') return caller.call('taskDelete', { task_id: taskId });
  const request: RpcInput<'taskUpdate'> = { task_id: taskId, status: change === 'pause' ? 0 : 1 };
  return caller.call('taskUpdate', request);
}
