// What a server refuses to a connection.
import type { NatsConnection } from 'nats';

/** `publish <subject>`, `subscribe <subject>` or `subscribe <subject> <queue>`. */
export type Operation = string;

/**
 * Does all of it and returns what the server refused as a violation of permissions. What it let pass stays in force:
 * subscriptions go on until the connection ends.
 */
export async function findRefused(
  connection: NatsConnection,
  operations: readonly Operation[],
): Promise<Operation[]> {
  const violations: string[] = [];
  // Ends with the connection.
  void collectViolations(connection, violations);
  const refused: Operation[] = [];
  for (const operation of operations) {
    violations.length = 0;
    carryOut(connection, operation);
    // The server answers in order: its refusal is here before the second answer to a ping.
    await connection.flush();
    await connection.flush();
    const [verb, subject] = operation.split(' ');
    if (violations.includes(`${verb === 'publish' ? 'publish' : 'subscription'} ${subject}`))
      refused.push(operation);
  }
  return refused;
}

async function collectViolations(connection: NatsConnection, violations: string[]): Promise<void> {
  for await (const { data, permissionContext } of connection.status()) {
    if (data !== 'PERMISSIONS_VIOLATION' || permissionContext === undefined) continue;
    violations.push(`${permissionContext.operation} ${permissionContext.subject}`);
  }
}

function carryOut(connection: NatsConnection, operation: Operation): void {
  const [verb, subject = '', queue] = operation.split(' ');
  const options = queue === undefined ? {} : { queue };
  if (verb === 'publish') connection.publish(subject);
  // With a callback: an iterator would throw the refusal of its subscription.
  else connection.subscribe(subject, { ...options, callback: () => undefined });
}
