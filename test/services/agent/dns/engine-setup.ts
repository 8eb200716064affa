// An engine and scripted servers for one test, stopped after it whatever happened.
import { onTestFinished } from 'vitest';
import type { DnsServer } from '../../../../contracts/dns-server.ts';
import { encodeDomainName } from '../../../../contracts/domain-name.ts';
import {
  createDnsEngine,
  type DnsEngine,
  type DnsEngineOptions,
  type Resolution,
} from '../../../../services/agent/dns/engine.ts';
import {
  type Script,
  type ScriptedDnsServer,
  type ScriptedDnsServerOptions,
  startScriptedDnsServer,
} from '../../../helpers/scripted-dns-server.ts';

export const txt = 16;

export type Warning = { fields: Record<string, unknown>; text: string };

/** Creates an engine that ends with the test; warnings are collected instead of printed. */
export function engineFor(
  options: Omit<DnsEngineOptions, 'logger'> = {},
): DnsEngine & { warnings: Warning[] } {
  const warnings: Warning[] = [];
  const logger = { warn: (fields: Record<string, unknown>, text: string) => warnings.push({ fields, text }) };
  const engine = createDnsEngine({ ...options, logger });
  onTestFinished(() => engine.stop());
  return { ...engine, warnings };
}

/** Starts a scripted server that ends with the test. */
export async function serverFor(
  script: Script,
  options: ScriptedDnsServerOptions = {},
): Promise<ScriptedDnsServer> {
  const server = await startScriptedDnsServer(script, options);
  onTestFinished(() => server.stop());
  return server;
}

export type Ask = {
  name?: string;
  rtype?: number;
  budgetMs?: number;
  deadlineAt?: number;
  askingMs?: number;
  lane?: string | number;
};

/** Asks for the TXT record of a name, with a budget in milliseconds that no test here is meant to use up by default. */
export function ask(
  engine: DnsEngine,
  server: DnsServer,
  { name = 'a.example', rtype = txt, budgetMs = 5_000, deadlineAt, askingMs, lane = 'test' }: Ask = {},
): Promise<Resolution> {
  const encoded = encodeDomainName(name);
  if (!encoded.ok) throw new Error(encoded.reason);
  const query = { server, name: encoded.wire, rtype };
  return new Promise((resolve) => {
    engine.resolve(
      query,
      { deadlineAt: deadlineAt ?? performance.now() + budgetMs, askingMs, lane },
      resolve,
    );
  });
}

/** Keeps the event loop busy, as a long computation would: nothing is received or timed meanwhile. */
export function stallEventLoop(durationMs: number): void {
  const endAt = performance.now() + durationMs;
  while (performance.now() < endAt);
}
