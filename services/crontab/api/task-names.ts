// Who has which name, while the items of a request rename tasks one after the other.

export type TaskNames = {
  idOf(name: string): string | undefined;
  /** False when another task has the name. */
  rename(taskId: string, from: string, to: string): boolean;
};

export function createTaskNames(owners: readonly { task_id: string; name: string }[]): TaskNames {
  const ids = new Map(owners.map(({ task_id: taskId, name }) => [name, taskId]));
  return {
    idOf: (name) => ids.get(name),
    rename(taskId, from, to) {
      const owner = ids.get(to);
      if (owner !== undefined && owner !== taskId) return false;
      ids.delete(from);
      ids.set(to, taskId);
      return true;
    },
  };
}
