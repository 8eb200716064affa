// What `npm run task -- --help` prints.
import { environmentHelp } from '../environment-help.ts';
import { defaultCycleS } from './task-create-arguments.ts';
import { defaultHistoryLimit } from './task-history-arguments.ts';

export const taskHelp = `Manages recurring probe tasks and shows what came of them.

Usage:
  npm run task -- list [--paused | --enabled] [--limit N]
  npm run task -- show ID
  npm run task -- create NAME… [-t TYPE]… [-s SERVER]… [-g GROUP] [-c SECONDS]
                  [--domain-group ID]… [--service-type TYPE] [--window START,END]
                  [--paused] [--idempotency-key KEY]
  npm run task -- pause ID…
  npm run task -- resume ID…
  npm run task -- delete ID…
  npm run task -- results [ID] [--agent AGENT] [--domain NAME] [--status STATUS]
                  [--from T] [--to T] [--limit N]
  npm run task -- slots [ID] [--from T] [--to T] [--limit N]

Every command takes:
      --json           print the replies, or the error, as one JSON document and
                       nothing else
  -h, --help           print this text

list:
      --paused, --enabled  only tasks of this status
      --limit N        so many tasks at most (default: all)

show:
  prints every field of a task and its latest ten slots.

create:
  -t, --type TYPE      record type: A, AAAA, MX, TXT, HTTPS, TYPE65, ANY, … (default A)
  -s, --server SERVER  DNS server to ask: 1.1.1.1, 1.1.1.1:5353, [2001:db8::1]:53,
                       tcp://1.1.1.1 (default: the resolvers of each agent's region,
                       else the agent's own)
  -g, --group GROUP    agents of this group (a number; default: all agents)
  -c, --cycle SECONDS  seconds between two runs (default ${defaultCycleS}); 0 runs once
      --domain-group ID    probe the names of this domain group
      --service-type TYPE  dnsMonitor (default), dnsResolve, dnsHijack, dnsNSHijack,
                       dnsPrefer, or a word of your own
      --window START,END   run between these only: HH:MM of each day, ISO 8601 dates or
                       date-times, or Unix seconds (default: always)
      --paused         keep it paused until resume
      --idempotency-key KEY
                       your own name for this task: the same command again with the
                       same key makes no second task
  Every agent asks every server for every NAME and domain group, in every TYPE. A NAME
  that starts with - goes after a second --.

results and slots, the newest first:
      ID               only those of this task
      --from T, --to T     only nominal times from T on, before T: Unix seconds or ISO 8601
                       with an offset (2026-01-31T08:00:00Z)
      --agent AGENT    only results of this agent
      --domain NAME    only results of this name, as the task has it
      --status STATUS  only results of this status: an rcode (NOERROR, NXDOMAIN, …), or
                       what failed (TIMEOUT, LOST, EXPIRED, …)
      --limit N        so many at most (default ${defaultHistoryLimit})

A slot is one nominal time of a task. Its line shows how much later it was PLANNED, for how
many AGENTS and CELLS (server × name × agent), and how many cells are DONE (of these LATE:
after the slot had expired), LOST (the agent went away with them), EXPIRED (no agent took
them in time) and PENDING. MISSED are earlier slots that it stands for, SKIPPED says what
was not planned, why, and of how many agents or domain groups. On a terminal too narrow for
all columns the last ones go below their line, where they hold anything.

Exit codes:
  0    done
  1    some of the tasks named could not be changed; the others are
  2    wrong usage or settings: nothing was sent
  3    the call failed: no NATS server, no such task, a request refused, …
  130  interrupted (Ctrl-C)

${environmentHelp}
Examples:
  npm run task -- create www.example.com example.org -t A -t AAAA -s 1.1.1.1 -c 300
  npm run task -- create --domain-group 3 -g 1 --window 08:00,20:00 --idempotency-key nightly
  npm run task -- list --paused
  npm run task -- results 7 --status TIMEOUT --from 2026-01-31T00:00:00Z
  npm run --silent task -- slots 7 --json | jq '.slots[] | select(.pending > 0)'
`;
