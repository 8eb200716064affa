// A verbose row for tests: what it is about said, the rest filled in.
import type { SectionRecord, VerboseRow } from '../../../contracts/probe.ts';

export function verboseRow(row: Partial<VerboseRow> = {}): VerboseRow {
  return {
    domain: 'www.example.test',
    delay: 1.5,
    dns_response_status: 'NOERROR',
    dns_server: '192.0.2.53',
    device: { country: '86', province: '440000', city: '440400', carrier: '电信' },
    answer_section: [],
    authority_section: [],
    additional_section: [],
    agent_id: 'agent-1',
    rtype: 'A',
    ...row,
  };
}

export function answerRecord(rdtype: string, result: string): SectionRecord {
  return { name: 'www.example.test.', ttl: 60, rdclass: 'IN', rdtype, result };
}
