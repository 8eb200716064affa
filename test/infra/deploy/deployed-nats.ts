// nats-server on the configuration of a deployment, on free ports of loopback.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type NatsConnection } from 'nats';
import { inject } from 'vitest';
import { repositoryFolder } from '../../../infra/local-stack/data-folder.ts';
import { spawnProgram, type TestProgramRun } from '../../helpers/processes.ts';

export const deployFolder = join(repositoryFolder, 'infra', 'deploy');

export type DeployedNats = {
  url: string;
  /** Where leaf nodes connect; the hub alone has one. */
  leafPort: number | undefined;
  /** Of the configuration, in its order. */
  users: string[];
  passwordOf(user: string): string;
  /** A raw connection as this user, with the inbox of its role. */
  connectAs(user: string): Promise<NatsConnection>;
  run: TestProgramRun;
  stop(): Promise<void>;
};

/** Starts `infra/deploy/<file>`; every password begins with a digit, as random ones may. */
export async function startDeployedNats(
  file: string,
  env: Record<string, string> = {},
): Promise<DeployedNats> {
  const path = join(deployFolder, file);
  const text = await readFile(path, 'utf8');
  const logins = readLogins(text);
  const anyPort = '"127.0.0.1:-1"';
  const run = spawnProgram(inject('natsServerProgram'), ['--config', path], {
    env: {
      NATS_LISTEN: anyPort,
      NATS_HTTP_LISTEN: anyPort,
      NATS_LEAF_LISTEN: anyPort,
      ...Object.fromEntries(logins.map(({ variable }) => [variable, `"${passwordIn(variable)}"`])),
      ...env,
    },
  });
  const port = readPort(await run.waitForLine(/Listening for client connections/));
  await run.waitForLine(/Server is ready/);
  const leafLine = run.output().match(/Listening for leafnode connections on .*/)?.[0];
  const url = `nats://127.0.0.1:${port}`;

  function passwordOf(user: string): string {
    const login = logins.find((candidate) => candidate.user === user);
    if (login === undefined) throw new Error(`${file} has no user ${user}`);
    return passwordIn(login.variable);
  }

  return {
    url,
    leafPort: leafLine === undefined ? undefined : readPort(leafLine),
    users: logins.map(({ user }) => user),
    passwordOf,
    connectAs: (user) =>
      connect({
        servers: url,
        user,
        pass: passwordOf(user),
        inboxPrefix: `_INBOX.${user}`,
        reconnect: false,
      }),
    run,
    async stop() {
      run.signal('SIGTERM');
      await run.exited;
    },
  };
}

/** Users and the variables of their passwords. */
export function readLogins(text: string): { user: string; variable: string }[] {
  return [...text.matchAll(/^\s*user: "([^"]+)", password: \$(\w+)/gm)].map(
    ([, user = '', variable = '']) => ({
      user,
      variable,
    }),
  );
}

function passwordIn(variable: string): string {
  return `4e2-${variable}`;
}

function readPort(line: string): number {
  return Number(line.slice(line.lastIndexOf(':') + 1));
}
