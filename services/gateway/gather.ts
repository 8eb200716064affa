// Collects the outcomes of one plan: every cell at most once, only from the agent that was asked for it.
import { type OrderReply, type Outcome, orderReplySchema, outcomeSchema } from '../../contracts/agent.ts';
import { decodeJson } from '../../contracts/decode.ts';
import { ProbeTaskError } from '../../contracts/errors.ts';
import { cellsOf, type Plan, type PlannedOrder } from './plan-probe.ts';

/** What became of an order as a whole: `answering` also when only some of its cells came. */
export type OrderState = 'silent' | 'answering' | 'refused';

export type Gathered = {
  /** One entry per cell of the plan, in its order. */
  outcomes: (Outcome | undefined)[];
  /** One entry per order of the plan. */
  states: OrderState[];
  /** Cells with an outcome. */
  answered: number;
};

type Fragment = OrderReply & { kind: 'fragment' };

/** Why a message or an outcome was thrown away. */
export type DropReason = 'garbage' | 'foreign' | 'duplicate';

export type Gather = {
  gathered: Gathered;
  /** Takes one message of the agent of order `orderIndex`. */
  take(orderIndex: number, body: Uint8Array): void;
  /** Nobody took the order. */
  giveUp(orderIndex: number): void;
};

/** Calls `onComplete` once, when no further outcome can come. */
export function createGather(options: {
  plan: Plan;
  orderIds: string[];
  onComplete: () => void;
  onDrop: (reason: DropReason) => void;
}): Gather {
  const { plan, orderIds, onComplete, onDrop } = options;
  const gathered: Gathered = {
    outcomes: new Array<Outcome | undefined>(plan.cellCount),
    states: plan.orders.map(() => 'silent'),
    answered: 0,
  };
  const open = plan.orders.map((order) => (order.servers.length === 0 ? 0 : cellsOf(order)));
  let openCells = open.reduce((sum, cells) => sum + cells, 0);
  const fragments = new Map<string, Map<number, string>>();

  function close(orderIndex: number, cells: number): void {
    open[orderIndex] = (open[orderIndex] ?? 0) - cells;
    openCells -= cells;
    if (openCells === 0 && cells > 0) onComplete();
  }

  /** Why this cell of this order takes no outcome (any more). */
  function refusalOf(orderIndex: number, order: PlannedOrder, cell: number): DropReason | undefined {
    if (cell >= cellsOf(order) || gathered.states[orderIndex] === 'refused') return 'foreign';
    return gathered.outcomes[order.firstCell + cell] === undefined && open[orderIndex] !== 0
      ? undefined
      : 'duplicate';
  }

  function takeOutcome(orderIndex: number, order: PlannedOrder, outcome: Outcome): void {
    const refusal = refusalOf(orderIndex, order, outcome.cell);
    if (refusal !== undefined) {
      onDrop(refusal);
      return;
    }
    gathered.outcomes[order.firstCell + outcome.cell] = outcome;
    gathered.answered += 1;
    gathered.states[orderIndex] = 'answering';
    close(orderIndex, 1);
  }

  function takeFragment(orderIndex: number, order: PlannedOrder, fragment: Fragment): void {
    const { cell, part, parts, text } = fragment;
    const key = `${orderIndex}/${cell}/${parts}`;
    const held = fragments.get(key) ?? new Map<number, string>();
    const refusal =
      refusalOf(orderIndex, order, cell) ??
      (part >= parts ? 'garbage' : held.has(part) ? 'duplicate' : undefined);
    if (refusal !== undefined) {
      onDrop(refusal);
      return;
    }
    fragments.set(key, held.set(part, text));
    if (held.size < parts) return;
    fragments.delete(key);
    const whole = Array.from({ length: parts }, (_, index) => held.get(index)).join('');
    const outcome = parseMessage(Buffer.from(whole), outcomeSchema);
    if (outcome?.cell === cell) takeOutcome(orderIndex, order, outcome);
    else onDrop('garbage');
  }

  return {
    gathered,
    take(orderIndex, body) {
      const order = plan.orders[orderIndex];
      const message = parseMessage(body, orderReplySchema);
      if (order === undefined || message === undefined) onDrop('garbage');
      else if (message.order_id !== orderIds[orderIndex]) onDrop('foreign');
      else if (message.kind === 'fragment') takeFragment(orderIndex, order, message);
      else if (message.kind === 'outcomes') {
        for (const outcome of message.outcomes) takeOutcome(orderIndex, order, outcome);
      } else if (gathered.states[orderIndex] !== 'silent') onDrop('duplicate');
      else {
        gathered.states[orderIndex] = 'refused';
        close(orderIndex, open[orderIndex] ?? 0);
      }
    },
    giveUp(orderIndex) {
      close(orderIndex, open[orderIndex] ?? 0);
    },
  };
}

function parseMessage<Value>(
  body: Uint8Array,
  schema: { safeParse(value: unknown): { data?: Value | undefined } },
): Value | undefined {
  try {
    return schema.safeParse(decodeJson(body)).data;
  } catch (error) {
    if (error instanceof ProbeTaskError) return undefined;
    throw error;
  }
}
