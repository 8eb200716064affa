// Which replicas have used a folder of this machine, and which of them are gone: what those held need not wait for its
// lease to run out.
import { readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tryLock, withLock } from '../../../infra/local-stack/file-lock.ts';

export type ReplicaMarks = {
  /** Marks this replica as alive, for as long as its process lives. */
  start(): Promise<void>;
  /** Ids of replicas whose process is gone, each told once. */
  listGone(): Promise<string[]>;
};

/** `folder` is this machine's alone: a process of another one would look dead. */
export function createReplicaMarks(folder: string, replica: string): ReplicaMarks {
  /** Containers that share the folder do not see each other's processes: each looks after its own kind. */
  async function inNamespace<Result>(work: (marks: string) => Promise<Result>): Promise<Result> {
    const marks = join(folder, (await readlink('/proc/self/ns/pid')).replaceAll(/\W/g, ''));
    return withLock(`${marks}.lock`, () => work(marks));
  }

  async function takeGone(marks: string): Promise<string[]> {
    const gone: string[] = [];
    for (const name of await readdir(marks)) {
      const path = join(marks, name);
      if (name === replica || (await tryLock(path)).kind === 'taken') continue;
      gone.push(name);
      await rm(path, { recursive: true, force: true });
    }
    return gone;
  }

  return {
    async start() {
      await inNamespace((marks) => tryLock(join(marks, replica)));
    },
    listGone: () => inNamespace(takeGone),
  };
}
