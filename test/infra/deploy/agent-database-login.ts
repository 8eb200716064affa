// The database login of the agents, as a deployment makes it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { inject } from 'vitest';
import type { TestDatabase } from '../../helpers/postgres.ts';
import { deployFolder } from './deployed-nats.ts';

const password = 'of the agents';

/** Runs grant-agents.sql on the database; roles belong to the whole server, so one file of tests at a time does this. */
export async function grantAgents(database: TestDatabase): Promise<{ url: string; drop(): Promise<void> }> {
  await asOwner(database.url, async (client) => {
    for (const statement of await readStatements()) {
      const { query, isGenerator } = statement;
      const { rows } = await client.query<{ text: string }>({ text: query });
      if (!isGenerator) continue;
      for (const row of rows) for (const text of Object.values(row)) await client.query(text);
    }
  });
  const url = new URL(database.url);
  url.username = 'probe_agent';
  url.password = password;
  return {
    url: url.href,
    /** After the database: a role with rights in one cannot go. */
    drop: () =>
      asOwner(inject('postgresUrl'), async (client) => void (await client.query('drop role probe_agent'))),
  };
}

/** What psql would send: `\gexec` ends a statement whose results are statements, `:'name'` is a quoted variable. */
async function readStatements(): Promise<{ query: string; isGenerator: boolean }[]> {
  const text = await readFile(join(deployFolder, 'grant-agents.sql'), 'utf8');
  return text
    .split('\n')
    .filter((line) => !/^(--|\\getenv agent_password AGENT_DATABASE_PASSWORD$|$)/.test(line))
    .join('\n')
    .replace(":'agent_password'", `'${password}'`)
    .split(/(?<=;|\\gexec)\n/)
    .map((statement) => ({
      query: statement.replace('\\gexec', ''),
      isGenerator: statement.includes('\\gexec'),
    }));
}

async function asOwner(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
