// The roles that a task may name: folders with tasks in them.
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../../../infra/error-text.ts';

/** Names of the roles in these folders, read anew each time: an operator adds one by putting it there. */
export async function listRoles(folders: readonly string[]): Promise<ReadonlySet<string>> {
  const names = await Promise.all(folders.map(listFolder));
  return new Set(names.flat());
}

async function listFolder(folder: string): Promise<string[]> {
  const entries = await orMissing(readdir(folder), []);
  const hasTasks = await Promise.all(entries.map((name) => isRole(join(folder, name))));
  return entries.filter((_name, index) => hasTasks[index]);
}

async function isRole(folder: string): Promise<boolean> {
  const found = ['main.yml', 'main.yaml'].map((file) =>
    orMissing(
      access(join(folder, 'tasks', file)).then(() => true),
      false,
    ),
  );
  return (await Promise.all(found)).includes(true);
}

async function orMissing<Value>(work: Promise<Value>, missing: Value): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return missing;
    throw error;
  }
}
