// What comes of a job, whoever works on it.

/** `result`: the JSON that callers are told. `info`: why there is none, in one line for whoever submitted it. */
export type JobOutcome = { ok: true; result: Buffer } | { ok: false; info: string };

/** A result passes through the memory of the service, and of the database. */
export const maxResultOctets = 128 * 1024 * 1024;
