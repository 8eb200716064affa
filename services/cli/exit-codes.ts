// What the exit codes of the commands mean.

export const exitCodes = {
  /** All went well; of a probe, every cell has a DNS reply, whose rcode is data. */
  done: 0,
  /** A part failed: some cell of a probe has no DNS reply, or some of the tasks named could not be changed. */
  partFailed: 1,
  /** Wrong usage or settings; nothing was sent. */
  usage: 2,
  /** The call itself failed. */
  callFailed: 3,
  /** As shells have it: 128 and the signal's number. */
  interrupted: 130,
  terminated: 143,
} as const;
