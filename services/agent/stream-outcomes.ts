// Packs outcomes into messages of at most 64 KiB and sends them while the order still runs.
import { maxOutcomeMessageOctets, type OrderReply, type Outcome } from '../../contracts/agent.ts';

export type OutcomeStream = {
  push(outcome: Outcome): void;
  /** Sends what is held. */
  end(): void;
};

/** How long an outcome waits for company. The last one of an order does not wait. */
const gatherMs = 20;
/** Braces, names and the order id around the outcomes. */
const envelopeOctets = 256;

/** `send` gets the encoded body of one message, which fits what the bus takes. */
export function createOutcomeStream(
  orderId: string,
  busLimitOctets: number,
  send: (body: Buffer) => void,
): OutcomeStream {
  const roomOctets = Math.min(maxOutcomeMessageOctets, busLimitOctets) - envelopeOctets;
  // An outcome's text is ASCII; inside a JSON string every character of it takes two octets at most.
  const fragmentCharacters = Math.floor(roomOctets / 2);
  let held: string[] = [];
  let heldOctets = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (held.length === 0) return;
    const body = `{"kind":"outcomes","order_id":${JSON.stringify(orderId)},"outcomes":[${held.join(',')}]}`;
    held = [];
    heldOctets = 0;
    send(Buffer.from(body));
  }

  function sendInParts(cell: number, text: string): void {
    const parts = Math.ceil(text.length / fragmentCharacters);
    for (let part = 0; part < parts; part += 1) {
      const fragment: OrderReply = {
        kind: 'fragment',
        order_id: orderId,
        cell,
        part,
        parts,
        text: text.slice(part * fragmentCharacters, (part + 1) * fragmentCharacters),
      };
      send(Buffer.from(JSON.stringify(fragment)));
    }
  }

  return {
    push(outcome) {
      const text = JSON.stringify(outcome);
      const octets = Buffer.byteLength(text) + 1;
      if (octets > roomOctets) {
        sendInParts(outcome.cell, text);
        return;
      }
      if (heldOctets + octets > roomOctets) flush();
      held.push(text);
      heldOctets += octets;
      timer ??= setTimeout(flush, gatherMs);
    },
    end: flush,
  };
}
