// What `npm run probe -- --help` prints.
import { defaultRespTimeoutS } from '../../../contracts/probe.ts';
import { environmentHelp } from '../environment-help.ts';

export const probeHelp = `Asks DNS servers for names, from every matching probe agent.

Usage:
  npm run probe -- NAME… [-t TYPE]… [-s SERVER]… [-g GROUP] [-r REGION]…
                   [--timeout S] [--json]

Options:
  -t, --type TYPE      record type: A, AAAA, MX, TXT, HTTPS, TYPE65, ANY, … (default A)
  -s, --server SERVER  DNS server to ask: 1.1.1.1, 1.1.1.1:5353, [2001:db8::1]:53,
                       tcp://1.1.1.1 (default: the resolvers of each agent's region,
                       else the agent's own)
  -g, --group GROUP    agents of this group (a number)
  -r, --region REGION  agents of this region: COUNTRY,PROVINCE,CITY,CARRIER; a part
                       that is empty, 0, * or missing matches any
      --timeout S      seconds until the reply must be there, 1 to 60 (default ${defaultRespTimeoutS})
      --json           print the body of the reply, or of the error, as JSON and
                       nothing else
  -h, --help           print this text

-t, -s and -r can be given several times: every agent asks every server for every NAME and
TYPE, which makes one cell each. Group and regions add up; without both, all live agents ask.
A NAME that starts with - goes after a second --.

The table shows each cell's status (the rcode of the reply, or what failed: TIMEOUT,
CONN_REFUSED, NETWORK_ERROR, MALFORMED, NO_RESOLVER, AGENT_NO_REPLY, AGENT_OVERLOADED), the
delay in milliseconds, and the answer records; those of another type than TYPE with their type.

Exit codes:
  0    every cell has a DNS reply (NXDOMAIN and the like are replies)
  1    some cell has none
  2    wrong usage or settings: nothing was sent
  3    the call failed: no NATS server, no agent, a request too large, …
  130  interrupted (Ctrl-C)

${environmentHelp}
Examples:
  npm run probe -- www.example.com
  npm run probe -- www.example.com example.org -t AAAA -s 1.1.1.1 -s tcp://8.8.8.8
  npm run probe -- example.com -t MX -g 1 --timeout 5
  npm run probe -- 例子.测试 -r 86,440000 -r 86,,,联通
  npm run --silent probe -- www.example.com --json | jq '.results[].delay'
`;
