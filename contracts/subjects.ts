// Every subject of the bus, in one place.

/** Subjects that callers ask. */
export const subjects = {
  oneShoot: 'probe.task.dns_result.one_shoot',
  oneShootVerbose: 'probe.task.dns_result.one_shoot.verbose',
  taskGet: 'probe.task.get',
  taskCreate: 'probe.task.create',
  taskUpdate: 'probe.task.update',
  taskDelete: 'probe.task.delete',
  taskResultGet: 'probe.task.result.get',
  taskSlotGet: 'probe.task.slot.get',
  groupDetailGet: 'probe.group_detail.get',
  groupDetailSet: 'probe.group_detail.set',
  groupDetailDelete: 'probe.group_detail.delete',
  domainGroupGet: 'probe.domain_group.get',
  domainGroupCreate: 'probe.domain_group.create',
  domainGroupUpdate: 'probe.domain_group.update',
  domainGroupDelete: 'probe.domain_group.delete',
  localDnsGet: 'probe.local_dns.get',
  localDnsSet: 'probe.local_dns.set',
  localDnsDelete: 'probe.local_dns.delete',
  agentGet: 'probe.agent.get',
} as const;

/** Subjects between our own processes. */
export const internalSubjects = {
  /** Agents announce themselves here. */
  heartbeat: 'probe.agent.heartbeat',
  /** A gateway that starts asks all agents for a heartbeat. */
  discover: 'probe.agent.discover',
  /** A gateway that changed groups or resolvers tells the others to read them anew. */
  definitionsChanged: 'probe.gateway.definitions_changed',
} as const;

/** Where one agent takes its orders. */
export function orderSubject(agentId: string): string {
  return `probe.agent.${agentId}.order`;
}

/** Where one agent hears, in an empty message, that it has runs to claim. */
export function wakeSubject(agentId: string): string {
  return `probe.agent.${agentId}.wake`;
}

/** The queue group that the gateways share. */
export const gatewayQueue = 'gateway';

/** Reply headers. */
export const headers = {
  errorText: 'Nats-Service-Error',
  errorCode: 'Nats-Service-Error-Code',
  expected: 'Probe-Expected',
  answered: 'Probe-Answered',
  nextCursor: 'Probe-Next-Cursor',
  messageId: 'Nats-Msg-Id',
  traceParent: 'traceparent',
} as const;

const ownPrefixes = ['probe.agent.', 'probe.gateway.', '$SYS.', '$SRV.', '$JS.'];

/**
 * May a reply go to this subject? Whatever the caller gave is fine, except subjects of our own: a request must not
 * make a service publish an order, a heartbeat or a system message.
 */
export function isReplySubject(subject: string): boolean {
  return !ownPrefixes.some((prefix) => subject.startsWith(prefix)) && !requestSubjects.has(subject);
}

const requestSubjects = new Set<string>(Object.values(subjects));

const plainSubject = /^[^\s\p{Cc}.*>]+(?:\.[^\s\p{Cc}.*>]+)*$/u;
const systemPrefixes = ['$', '_INBOX.', '_R_.', '_GR_.'];
const maxSubjectLength = 255;

/**
 * May a user of the crontab service have a request sent to this subject? Any that names one service, except those
 * between our own processes, replies, and those of the server.
 */
export function isCallableSubject(subject: string): boolean {
  if (requestSubjects.has(subject)) return true;
  return (
    subject.length <= maxSubjectLength &&
    plainSubject.test(subject) &&
    !ownPrefixes.some((prefix) => subject.startsWith(prefix)) &&
    !systemPrefixes.some((prefix) => subject.startsWith(prefix))
  );
}
