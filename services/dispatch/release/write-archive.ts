// A tar archive, compressed, there whole or not at all.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

export type ArchiveContent = {
  /** What the names are relative to. */
  folder: string;
  files: readonly string[];
};

/**
 * Writes the files as `path` (.tar.gz). Owners, times and order do not depend on the machine: the same files give the
 * same octets. Throws with the last words of tar.
 */
export async function writeArchive(
  path: string,
  { folder, files }: ArchiveContent,
  compressionLevel: number,
): Promise<void> {
  const unfinished = `${path}.${randomUUID()}.new`;
  const options = ['--create', '--dereference', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
  const tar = spawn(
    'tar',
    [...options, '--mode=u=rwX,go=rX', `--directory=${folder}`, '--null', '--files-from=-'],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let complaint = '';
  tar.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-1000);
  });
  // Of a tar that is gone the exit code tells more.
  tar.stdin.on('error', () => undefined);
  tar.stdin.end(files.map((file) => `${file}\0`).join(''));
  try {
    const closed = once(tar, 'close');
    await Promise.all([
      closed,
      pipeline(
        tar.stdout,
        createGzip({ level: compressionLevel }),
        createWriteStream(unfinished, { mode: 0o644 }),
      ),
    ]);
    if (tar.exitCode !== 0) throw new Error(`tar ended with ${tar.exitCode}: ${complaint.trim()}`);
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}
