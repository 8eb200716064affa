// What a run plays, once it is read and found harmless for the machine that runs Ansible.
import type { JsonObject } from './json.ts';

export type Content =
  /** Tasks of Ansible in one form, ready to be written as JSON into a play. */
  { kind: 'tasks'; tasks: JsonObject[] } | { kind: 'roles'; roles: string[] };

/** `reason` names places, keys and modules, never a value: it goes into replies and logs. */
export type Reading<Value> = { ok: true; value: Value } | { ok: false; reason: string };
