// Whether there is a file or a folder of that name.
import { stat } from 'node:fs/promises';
import { systemErrorCode } from './error-text.ts';

/** Rejects when that cannot be told, as where a folder on the way is closed. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
