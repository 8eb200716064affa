// Servers of Go's net/rpc/jsonrpc: Go's own where Go is installed, and one that repeats what Go's own was seen to send.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findOnPath } from '../../../../infra/local-stack/find-program.ts';
import { runProgramOrThrow } from '../../../../infra/local-stack/run-program.ts';
import { plainEnvironment, spawnProgram } from '../../../helpers/processes.ts';

export type RpcServer = { port: number; stop(): Promise<void> };
export type RpcServerKind = { name: string; start(): Promise<RpcServer> };

/** Request and reply, octet by octet, as go-rpc/main.go answers under Go 1.26; an empty reply closes the connection. */
const recorded = new Map([
  ['{"method":"Arith.Mul","params":[{"a":6,"b":7}],"id":0}', '{"id":0,"result":42,"error":null}'],
  [
    '{"method":"Arith.Mul","params":[{"a":3037000500,"b":3037000499}],"id":0}',
    '{"id":0,"result":9223372033963249500,"error":null}',
  ],
  ['{"method":"Arith.Mul","params":[null],"id":0}', '{"id":0,"result":0,"error":null}'],
  [
    '{"method":"Arith.Mul","params":["text"],"id":0}',
    '{"id":0,"result":null,"error":"json: cannot unmarshal string into Go value of type main.Args"}',
  ],
  [
    '{"method":"Arith.Div","params":[{"a":6,"b":0}],"id":0}',
    '{"id":0,"result":null,"error":"divide by zero"}',
  ],
  [
    '{"method":"Arith.Nope","params":[null],"id":0}',
    '{"id":0,"result":null,"error":"rpc: can\'t find method Arith.Nope"}',
  ],
  [
    '{"method":"Nope.X","params":[null],"id":0}',
    '{"id":0,"result":null,"error":"rpc: can\'t find service Nope.X"}',
  ],
  [
    '{"method":"Text.Echo","params":[{"<a>": "中&\\u0000"}],"id":0}',
    '{"id":0,"result":{"given":{"\\u003ca\\u003e":"中\\u0026\\u0000"}},"error":null}',
  ],
  ['{"method":"Text.Echo","params":[{"a":],"id":0}', ''],
  [
    '{"method":"Text.Repeat","params":[70000],"id":0}',
    `{"id":0,"result":"${'x'.repeat(70_000)}","error":null}`,
  ],
]);

const recordedServer: RpcServerKind = {
  name: 'recorded octets',
  async start() {
    const server = createServer((connection) => {
      connection.on('error', () => connection.destroy());
      createInterface(connection).on('line', (line) => {
        const reply = recorded.get(line);
        // An unknown request closes too: no test waits for it.
        if (reply === undefined || reply === '') connection.end();
        else connection.write(`${reply}\n`);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    return {
      port,
      async stop() {
        const closed = once(server, 'close');
        server.close();
        await closed;
      },
    };
  },
};

function goServer(go: string): RpcServerKind {
  return {
    name: "Go's net/rpc/jsonrpc",
    async start() {
      const folder = await mkdtemp(join(tmpdir(), 'probe-task-go-rpc-'));
      const program = join(folder, 'go-rpc');
      const source = join(import.meta.dirname, 'go-rpc', 'main.go');
      await runProgramOrThrow(go, ['build', '-o', program, source], { timeoutMs: 55_000 });
      const run = spawnProgram(program, [], { env: plainEnvironment() });
      const port = Number(await run.waitForLine(/^\d+$/));
      return {
        port,
        async stop() {
          run.signal('SIGKILL');
          await run.exited;
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  };
}

/** Always at least one. */
export async function findRpcServers(): Promise<RpcServerKind[]> {
  const go = await findOnPath('go', process.env);
  return go === null ? [recordedServer] : [recordedServer, goServer(go)];
}
