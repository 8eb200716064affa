// The part of every command's help that says which variables it reads.

export const environmentHelp = `Environment:
  NATS_URL   the bus (default: that of the stack which npm start runs, else
             nats://127.0.0.1:4222); NATS_CREDS, NATS_USER, NATS_PASSWORD, NATS_CA and
             NATS_INBOX_PREFIX as for the services
  DATA_DIR   where that stack keeps its state (default .data)
  NO_COLOR   no colours when set
`;
