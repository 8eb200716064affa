// The NATS service protocol (ADR-32): who serves what, and how it went, on $SRV.PING, $SRV.INFO and $SRV.STATS.
import { randomUUID } from 'node:crypto';
import { isReplySubject } from '../../contracts/subjects.ts';
import type { Component } from '../lifecycle.ts';
import type { Bus, BusMessage, Subscription } from './bus.ts';

export type ServiceIdentity = {
  /** Letters, digits, `-` and `_`. */
  name: string;
  /** Semantic version. */
  version: string;
  description: string;
};

/** Counted by the server of the endpoint, read at every `$SRV.STATS`. */
export type EndpointStats = {
  name: string;
  subject: string;
  queue: string;
  requests: number;
  errors: number;
  lastError: string;
  processingMs: number;
};

const verbs = ['PING', 'INFO', 'STATS'] as const;
type Verb = (typeof verbs)[number];

/** Answers `$SRV.<verb>`, `$SRV.<verb>.<name>` and `$SRV.<verb>.<name>.<id>`; durations in nanoseconds as ADR-32 has them. */
export function createServiceProtocol(options: {
  bus: Bus;
  service: ServiceIdentity;
  endpoints: EndpointStats[];
}): Component {
  const { bus, service, endpoints } = options;
  const id = randomUUID().replaceAll('-', '');
  const identity = { name: service.name, id, version: service.version, metadata: {} };
  let started = '';
  let subscriptions: Subscription[] = [];

  const replies: Record<Verb, () => unknown> = {
    PING: () => ({ type: 'io.nats.micro.v1.ping_response', ...identity }),
    INFO: () => ({
      type: 'io.nats.micro.v1.info_response',
      ...identity,
      description: service.description,
      endpoints: endpoints.map(({ name, subject, queue }) => ({
        name,
        subject,
        queue_group: queue,
        metadata: {},
      })),
    }),
    STATS: () => ({
      type: 'io.nats.micro.v1.stats_response',
      ...identity,
      started,
      endpoints: endpoints.map(({ name, subject, queue, requests, errors, lastError, processingMs }) => ({
        name,
        subject,
        queue_group: queue,
        num_requests: requests,
        num_errors: errors,
        last_error: lastError,
        processing_time: Math.round(processingMs * 1e6),
        average_processing_time: requests === 0 ? 0 : Math.round((processingMs * 1e6) / requests),
      })),
    }),
  };

  function answer(verb: Verb, { replyTo }: BusMessage): void {
    if (replyTo !== undefined && isReplySubject(replyTo))
      bus.publish(replyTo, { body: Buffer.from(JSON.stringify(replies[verb]())) });
  }

  return {
    async start() {
      started = new Date().toISOString();
      subscriptions = verbs.flatMap((verb) =>
        [`$SRV.${verb}`, `$SRV.${verb}.${service.name}`, `$SRV.${verb}.${service.name}.${id}`].map(
          (subject) => bus.subscribe(subject, (message) => answer(verb, message)),
        ),
      );
    },
    async stop() {
      await Promise.all(subscriptions.map((subscription) => subscription.drain()));
    },
  };
}
