// Makes an HTTP application listen, and says under which variable its port is set when that one is taken.
import type { FastifyInstance } from 'fastify';
import { systemErrorCode } from '../error-text.ts';

/** Where a server listens; port 0 takes any free one. */
export type ListenAddress = {
  host: string;
  port: number;
  /** The variable that sets the port, such as `METRICS_PORT`. */
  portVariable: string;
};

/** Resolves with `http://host:port`. Rejects with one line that names the variable when the port is taken. */
export async function listen(app: FastifyInstance, address: ListenAddress): Promise<string> {
  const { host, port } = address;
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw explainListenFailure(error, address);
  }
  const bound = app.server.address();
  const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${boundPort}`;
}

/** The local stack looks for this line, and goes on to another port. */
function explainListenFailure(error: unknown, { host, port, portVariable }: ListenAddress): unknown {
  return systemErrorCode(error) === 'EADDRINUSE'
    ? new Error(`${portVariable}: port ${port} of ${host} is taken`, { cause: error })
    : error;
}
