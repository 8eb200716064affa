// The first call a newcomer can copy: shell, Node.js and Python.

export type FirstCallTarget = { natsUrl: string; exampleZone: string };

const exampleName = 'www.probe.test';
const subject = 'probe.task.dns_result.one_shoot';

/** Three copyable calls that ask every agent for one name of the example zone. */
export function formatFirstCalls({ natsUrl, exampleZone }: FirstCallTarget): string {
  const request = JSON.stringify({
    target: { type: 'domain', rtype: 'A', data: exampleName },
    probe_data: { dns_servers: [exampleZone] },
  });
  // The code starts at the left margin: Python takes indentation for a fault, and both are copied as they stand.
  return `
A first call from the shell:

npm run probe -- ${exampleName} -s ${exampleZone}

from Node.js, in this folder:

node --input-type=module -e '
import { connect } from "nats";
const bus = await connect({ servers: "${natsUrl}" });
const request = ${request};
const reply = await bus.request("${subject}", JSON.stringify(request), { timeout: 5000 });
console.log(reply.json());
await bus.close();'

from Python (once: python3 -m venv .venv && .venv/bin/pip install nats-py):

.venv/bin/python -c '
import asyncio, json, nats
async def main():
    bus = await nats.connect("${natsUrl}")
    request = ${request}
    reply = await bus.request("${subject}", json.dumps(request).encode(), timeout=5)
    print(json.loads(reply.data))
    await bus.close()
asyncio.run(main())'
`;
}
