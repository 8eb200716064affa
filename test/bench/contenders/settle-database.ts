// Every contender starts its clock on a database at rest.

/** Does what Postgres would otherwise do some time later, for what was written before the clock starts. */
export async function settleDatabase(client: { query(sql: string): Promise<unknown> }): Promise<void> {
  await client.query('vacuum (analyze)');
  await client.query('checkpoint');
}
