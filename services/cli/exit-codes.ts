// What the exit codes of the command mean.

export const exitCodes = {
  /** Every cell has a DNS reply; its rcode is data. */
  answered: 0,
  /** Some cell has no DNS reply. */
  cellFailed: 1,
  /** Wrong usage or settings; nothing was sent. */
  usage: 2,
  /** The call itself failed. */
  callFailed: 3,
  /** As shells have it: 128 and the signal's number. */
  interrupted: 130,
  terminated: 143,
} as const;
