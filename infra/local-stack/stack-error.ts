// The one error type of the local stack: a code to switch on and a message that is a complete line for people.

export type StackErrorCode =
  | 'PROGRAM_FAILED'
  | 'PROGRAM_MISSING'
  | 'PORT_TAKEN'
  | 'SERVER_FAILED'
  | 'SERVICE_FAILED'
  | 'STOPPED';

export class StackError extends Error {
  readonly code: StackErrorCode;

  constructor(code: StackErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StackError';
    this.code = code;
  }
}
