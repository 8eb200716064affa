// What `npm run agents -- --help` prints.
import { environmentHelp } from '../environment-help.ts';

export const agentsHelp = `Rolls out probe agents to the machines of regions, and looks after them.

Usage:
  npm run agents -- deploy  --region COUNTRY,PROVINCE,CITY,CARRIER --nodes NODE,…
                    --nats-url URL [SETTINGS]
  npm run agents -- deploy  --plan FILE [--region …] --nats-url URL [SETTINGS]
  npm run agents -- upgrade | restart | stop | start | remove | status
                    (--nodes NODE,… | --plan FILE [--region …])
  npm run agents -- list    [--region …]
  npm run agents -- follow RUN | cancel RUN

deploy installs the agent, or brings it up to date, and waits until it takes orders; upgrade
does so with the settings it has. It is the agent as it was when the dispatch service started:
restart that after an update. The machine needs sshd and python3, no Node.js and no way to the
internet. A release that does not become ready makes way for the one before it. Doing the same
again changes nothing. list shows the agents that are alive, as the gateway knows them.

Nodes:
      --nodes NODE,…   10.0.0.1, 10.0.0.1:2222, 2001:db8::1, [2001:db8::1]:2222; again for more
      --region COUNTRY,PROVINCE,CITY,CARRIER
                       where they are; with --plan and list: only those within (* or nothing
                       stands for any)
      --plan FILE      several regions, in YAML:
                         regions:
                           - region: 86,440000,440400,电信
                             groups: [1]
                             nodes: [10.0.0.1, { node: "10.0.0.2:2222", id: agent-x }]
                       a region and a node may have groups, resolvers, concurrency,
                       http_host, metrics_port and log_level of their own
      --user LOGIN     of SSH (default: that of the service)
      --become         become root with sudo
      --forks N        nodes at once (default 20)
      --batch N        nodes of one run, at most 200 (default 100); another run follows when
                       all went well
      --keep-going     go on with the next run all the same

Settings:
      --id-prefix TEXT     ids TEXT-10-0-0-1 (default agent-440400-ct-10-0-0-1)
      --groups ID,…        groups of the agents
      --resolvers SERVER,… DNS servers where neither task nor region names any
      --concurrency N      queries in flight
      --nats-url URL       the bus, as the nodes reach it; without a login
      --nats-user USER     its password in AGENT_NATS_PASSWORD
      --nats-creds FILE, --nats-ca FILE
      --metrics-port PORT  health and metrics on 127.0.0.1 (default 6570; 0: any)
      --directory PATH     where it is put (default /opt/probe-agent)
      --service NAME       its systemd unit (default probe-agent)
      --login LOGIN        what it runs as, made when missing (default probe-agent)
      --ready-timeout S    from start to readiness (default 60)

      --url URL        the dispatch service (default: DISPATCH_URL, else that of the stack
                       which npm start runs, else http://127.0.0.1:6558)
      --json           print the outcome, or the error, as one JSON document and nothing else
  -h, --help           print this text

Ctrl-C leaves a run going; follow shows it again, cancel stops it.

Exit codes:
  0    done on every node
  1    some node failed, or was not begun
  2    wrong usage or settings: nothing was sent
  3    the call failed: no dispatch service, no such run, a request refused, …
  130  interrupted (Ctrl-C)

Secrets of the agents come from the environment and are stored sealed; no command line has
them:
  AGENT_NATS_URL       the bus, with a login in it
  AGENT_NATS_PASSWORD, AGENT_DATABASE_URL
  DISPATCH_API_KEY     a key of the dispatch service

${environmentHelp}
Examples:
  npm run agents -- deploy --region 86,440000,440400,电信 --nodes 10.0.0.1,10.0.0.2 \\
    --groups 1 --nats-url nats://10.0.0.9:4222
  npm run agents -- upgrade --plan regions.yaml --region 86,440000
  npm run agents -- status --plan regions.yaml
`;
