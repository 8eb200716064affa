// Which slot is due: with a clock that jumps, late turns, and tasks that change.
import { describe, expect, test } from 'vitest';
import type { Task } from '../../../contracts/task.ts';
import { phaseOf, slotAfter, slotUntil } from '../../../infra/schedule/slot-grid.ts';
import { chooseSlot, type Schedule, type SlotChoice } from '../../../services/scheduler/choose-slot.ts';
import { createTaskWindow } from '../../../services/scheduler/task-window.ts';
import { createSeededRandom } from '../../helpers/seeded-random.ts';

const china = 'Asia/Shanghai';
const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** Noon in China. */
const nowMs = Date.parse('2026-09-20T04:00Z');

function schedule(fields: Partial<Schedule> = {}): Schedule {
  return { task_id: '42', cycle: 60, nextAt: -Infinity, lastAt: null, updatedAt: nowMs, ...fields };
}

function choose(task: Schedule, atMs: number, taskTime: Task['task_time'] = null, zone = china): SlotChoice {
  return chooseSlot(task, createTaskWindow(taskTime, zone), atMs);
}

function chooseDue(
  task: Schedule,
  atMs: number,
  taskTime: Task['task_time'] = null,
): SlotChoice & { kind: 'slot' } {
  const choice = choose(task, atMs, taskTime);
  if (choice.kind !== 'slot') throw new Error(`nothing is due before ${choice.nextAt}`);
  return choice;
}

/** What a scheduler stores after its turn. */
function advance(task: Schedule, choice: SlotChoice): Schedule {
  const lastAt = choice.kind === 'slot' ? choice.scheduledAt : task.lastAt;
  return { ...task, nextAt: choice.nextAt, lastAt };
}

describe('a task with a cycle', () => {
  test('has its first slot at the first time of the grid after its creation', () => {
    const first = slotAfter(phaseOf('42', minuteMs), minuteMs, nowMs);
    expect(choose(schedule(), nowMs)).toEqual({ kind: 'wait', nextAt: first });
    expect(choose(schedule(), first - 1)).toEqual({ kind: 'wait', nextAt: first });
    expect(choose(schedule(), first)).toEqual({
      kind: 'slot',
      scheduledAt: first,
      missed: 0,
      expiresAt: first + minuteMs,
      nextAt: first + minuteMs,
    });
  });

  test('has one slot for all those that nobody planned, and tells how many they were', () => {
    const first = slotAfter(phaseOf('42', minuteMs), minuteMs, nowMs);
    expect(choose(schedule({ nextAt: first, lastAt: first - minuteMs }), first + 90 * minuteMs + 7)).toEqual({
      kind: 'slot',
      scheduledAt: first + 90 * minuteMs,
      missed: 90,
      expiresAt: first + 91 * minuteMs,
      nextAt: first + 91 * minuteMs,
    });
  });

  test.each<[string, Task['task_time']]>([
    ['without a window', null],
    ['with one', ['09:00', '18:00']],
  ])('of a second counts a year of missed slots at once (%s)', (_name, taskTime) => {
    const task = schedule({
      cycle: 1,
      nextAt: slotAfter(phaseOf('42', secondMs), secondMs, nowMs - 365 * dayMs),
    });
    const startedAt = performance.now();
    const { scheduledAt, missed, nextAt } = chooseDue(task, nowMs, taskTime);
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(scheduledAt).toBe(slotUntil(phaseOf('42', secondMs), secondMs, nowMs));
    expect(missed).toBe((taskTime === null ? 365 * dayMs : 365 * 9 * hourMs) / secondMs - 1);
    expect(nextAt).toBe(scheduledAt + secondMs);
  });

  test('gives the runs of a late or a short slot half a minute to be claimed', () => {
    const short = slotAfter(phaseOf('42', 10 * secondMs), 10 * secondMs, nowMs);
    expect(chooseDue(schedule({ cycle: 10, nextAt: short }), short + 1).expiresAt).toBe(
      short + 1 + 30 * secondMs,
    );
    const late = slotAfter(phaseOf('42', minuteMs), minuteMs, nowMs);
    expect(chooseDue(schedule({ nextAt: late }), late + 50 * secondMs).expiresAt).toBe(late + 80 * secondMs);
  });

  test('that is resumed starts with the first slot after that, and makes up for none', () => {
    const resumedAt = nowMs + 3 * hourMs + 7;
    const task = schedule({ nextAt: -Infinity, lastAt: nowMs, updatedAt: resumedAt });
    expect(choose(task, resumedAt)).toEqual({
      kind: 'wait',
      nextAt: slotAfter(phaseOf('42', minuteMs), minuteMs, resumedAt),
    });
    expect(chooseDue(task, resumedAt + minuteMs).missed).toBe(0);
  });

  test('plans nothing twice when the clock of the database was set back', () => {
    const task = schedule({ nextAt: nowMs - 30 * minuteMs, lastAt: nowMs });
    const choice = choose(task, nowMs - 20 * minuteMs);
    expect(choice).toEqual({ kind: 'wait', nextAt: slotAfter(phaseOf('42', minuteMs), minuteMs, nowMs) });
    const resumed = schedule({ lastAt: nowMs, updatedAt: nowMs - hourMs });
    expect(choose(resumed, nowMs - hourMs)).toEqual(choice);
  });
});

describe('a task with a cycle and a window', () => {
  const window: Task['task_time'] = ['09:00', '18:00'];
  const nineMs = Date.parse('2026-09-21T01:00Z');

  test('has no slot outside of it', () => {
    const task = schedule({ updatedAt: Date.parse('2026-09-20T11:00Z') });
    expect(choose(task, task.updatedAt, window)).toEqual({
      kind: 'wait',
      nextAt: slotAfter(phaseOf('42', minuteMs), minuteMs, nineMs - 1),
    });
  });

  test('has no further slot when the window has ended', () => {
    const ended: Task['task_time'] = ['2026-09-01', '2026-09-20T12:01'];
    const last = slotUntil(phaseOf('42', minuteMs), minuteMs, nowMs + minuteMs - 1);
    expect(chooseDue(schedule({ nextAt: last - minuteMs }), nowMs + dayMs, ended)).toMatchObject({
      scheduledAt: last,
      missed: 1,
      expiresAt: nowMs + dayMs + 30 * secondMs,
      nextAt: Infinity,
    });
    expect(choose(schedule(), nowMs, ['2026-09-01', '2026-09-19'])).toEqual({
      kind: 'wait',
      nextAt: Infinity,
    });
  });

  /** Grids of a day that have no time between nine and ten: 23 of 24 tasks. */
  const ids = Array.from({ length: 40 }, (_, index) => String(index + 1));

  test('that is narrower than the cycle has one slot in it every day', () => {
    for (const id of ids) {
      let task = schedule({ task_id: id, cycle: 86_400, updatedAt: Date.parse('2026-09-19T16:00Z') });
      const slots: number[] = [];
      for (let day = 0; day < 10; day += 1) {
        const choice = choose(task, Date.parse('2026-09-20T02:00Z') + day * dayMs, ['09:00', '10:00']);
        if (choice.kind === 'slot') slots.push(choice.scheduledAt);
        task = advance(task, choice);
      }
      const openedAt = Date.parse('2026-09-20T01:00Z');
      const daily = slots.map((slot, day) => slot - openedAt - day * dayMs);
      expect(daily, `task ${id}`).toHaveLength(10);
      expect(Math.min(...daily)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...daily)).toBeLessThan(hourMs);
      expect(new Set(daily).size).toBe(1);
    }
  });

  test('that is narrower than the cycle has today’s slot also when the task was changed or resumed today', () => {
    const today = Date.parse('2026-09-20T01:00Z');
    for (const id of ids) {
      const task = schedule({
        task_id: id,
        cycle: 86_400,
        lastAt: today - dayMs + 30 * minuteMs,
        updatedAt: today - minuteMs,
      });
      const { nextAt } = choose(task, today - minuteMs, ['09:00', '10:00']);
      expect(nextAt, `task ${id}`).toBeGreaterThanOrEqual(today);
      expect(nextAt, `task ${id}`).toBeLessThan(today + hourMs);
    }
  });

  test('that opens once, between two times of the grid, has one slot', () => {
    for (const id of ids) {
      const task = schedule({ task_id: id, cycle: 366 * 86_400 });
      const once: Task['task_time'] = ['2026-10-01T08:00', '2026-10-01T10:00'];
      const { nextAt } = choose(task, nowMs, once);
      expect(nextAt - Date.parse('2026-10-01T00:00Z'), `task ${id}`).toBe(phaseOf(id, 2 * hourMs));
      expect(chooseDue({ ...task, nextAt }, nextAt, once)).toMatchObject({
        scheduledAt: nextAt,
        nextAt: Infinity,
      });
    }
  });

  test('every second day has one slot every second day', () => {
    let task = schedule({ cycle: 2 * 86_400 });
    const slots: number[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      const choice = choose(task, task.nextAt === -Infinity ? nowMs : task.nextAt, ['09:00', '10:00']);
      if (choice.kind === 'slot') slots.push(choice.scheduledAt);
      task = advance(task, choice);
    }
    const gaps = slots.slice(1).map((slot, index) => slot - (slots[index] ?? 0));
    expect(new Set(gaps)).toEqual(new Set([2 * dayMs]));
  });
});

describe('a task that runs once', () => {
  const once = schedule({ cycle: 0 });

  test('runs when it is created, and never again', () => {
    const choice = choose(once, nowMs);
    expect(choice).toEqual({
      kind: 'slot',
      scheduledAt: nowMs,
      missed: 0,
      expiresAt: nowMs + hourMs,
      nextAt: Infinity,
    });
    const done = advance(once, choice);
    expect(choose(done, nowMs + dayMs)).toEqual({ kind: 'wait', nextAt: Infinity });
    // Changed or resumed.
    const resumed = { ...done, nextAt: -Infinity, updatedAt: nowMs + dayMs };
    expect(choose(resumed, nowMs + dayMs)).toEqual({ kind: 'wait', nextAt: Infinity });
  });

  test('planned late still has half a minute', () => {
    expect(chooseDue(once, nowMs + 2 * hourMs)).toMatchObject({
      scheduledAt: nowMs,
      expiresAt: nowMs + 2 * hourMs + 30 * secondMs,
    });
  });

  test('waits for its window', () => {
    const opensAt = Date.parse('2026-09-20T14:00Z');
    expect(choose(once, nowMs, ['22:00', '23:00'])).toEqual({ kind: 'wait', nextAt: opensAt });
    expect(chooseDue({ ...once, nextAt: opensAt }, opensAt + 3, ['22:00', '23:00']).scheduledAt).toBe(
      opensAt,
    );
    expect(choose(once, nowMs, ['2026-09-01', '2026-09-19'])).toEqual({ kind: 'wait', nextAt: Infinity });
  });

  test('keeps its slot when something else than its schedule is changed meanwhile', () => {
    const changed = { ...once, nextAt: nowMs, updatedAt: nowMs + hourMs };
    expect(chooseDue(changed, nowMs + hourMs, ['11:00', '12:30']).scheduledAt).toBe(nowMs);
  });

  test('runs when it is resumed if it was paused before it ran', () => {
    const resumedAt = nowMs + 3 * dayMs;
    expect(chooseDue({ ...once, updatedAt: resumedAt }, resumedAt + 100).scheduledAt).toBe(resumedAt);
  });
});

describe('any task, whatever becomes of it', () => {
  const cycles = [0, 1, 10, 60, 3600, 86_400, 3 * 86_400];
  const windows: Task['task_time'][] = [
    null,
    ['09:00', '18:00'],
    ['22:00', '06:00'],
    ['02:15', '02:45'],
    ['2026-03-20', '2026-04-10'],
    ['2026-03-28', '02:30'],
    ['03:10', '2026-04-15T12:00'],
  ];

  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'each slot is later than the one before, due, and in its window (seed %d)',
    (seed) => {
      const random = createSeededRandom(seed);
      let atMs = Date.parse('2026-03-25T00:00Z') + random.below(dayMs);
      let taskTime = random.pick(windows);
      let task = schedule({ task_id: String(seed), cycle: random.pick(cycles), updatedAt: atMs });
      const isRunOnce = () => task.cycle === 0;
      for (let round = 0; round < 300; round += 1) {
        const kind = random.below(20);
        if (kind === 0) atMs += random.below(3 * dayMs);
        else if (kind === 1) atMs -= random.below(6 * hourMs);
        else if (kind === 2) {
          taskTime = random.pick(windows);
          task = { ...task, updatedAt: atMs, nextAt: -Infinity };
        } else if (kind === 3) {
          const cycle = random.pick(cycles);
          task = { ...task, cycle, updatedAt: atMs, nextAt: -Infinity };
        } else if (kind === 4) task = { ...task, updatedAt: atMs, nextAt: -Infinity };
        else if (Number.isFinite(task.nextAt) && kind < 15) {
          atMs = Math.max(atMs, task.nextAt + random.below(300));
        } else atMs += random.below(2 * hourMs);

        if (task.nextAt > atMs) continue;
        const window = createTaskWindow(taskTime, 'Europe/Berlin');
        const choice = chooseSlot(task, window, atMs);
        if (choice.kind === 'slot') {
          const { scheduledAt, missed, expiresAt } = choice;
          expect(scheduledAt).toBeGreaterThan(task.lastAt ?? -Infinity);
          expect(scheduledAt).toBeLessThanOrEqual(atMs);
          expect(window.has(scheduledAt)).toBe(true);
          expect(Number.isInteger(missed) && missed >= 0).toBe(true);
          expect(expiresAt).toBeGreaterThanOrEqual(atMs + 30 * secondMs);
        }
        // One turn takes all that is due.
        expect(choice.nextAt).toBeGreaterThan(atMs);
        if (Number.isFinite(choice.nextAt)) expect(window.has(choice.nextAt)).toBe(true);
        if (isRunOnce() && choice.kind === 'slot') expect(choice.nextAt).toBe(Infinity);
        task = advance(task, choice);
      }
    },
  );

  test.each(windows.map((taskTime) => [taskTime]))(
    'counts as many slots with late turns as it has with punctual ones: %j',
    (taskTime) => {
      const window = createTaskWindow(taskTime, 'Europe/Berlin');
      const random = createSeededRandom(7);
      const endMs = Date.parse('2026-04-05T00:00Z');
      for (const cycle of [600, 7200, 86_400]) {
        const created = schedule({ cycle, updatedAt: Date.parse('2026-03-26T00:00Z') });
        let punctual = created;
        const planned: number[] = [];
        for (;;) {
          const choice = chooseSlot(punctual, window, Math.max(punctual.nextAt, punctual.updatedAt));
          punctual = advance(punctual, choice);
          if (choice.kind === 'slot') planned.push(choice.scheduledAt);
          if (punctual.nextAt > endMs) break;
        }
        let late = created;
        let counted = 0;
        for (let atMs = late.updatedAt; atMs < endMs; ) {
          atMs = Math.min(atMs + random.below(30 * hourMs), endMs);
          if (late.nextAt > atMs) continue;
          const choice = chooseSlot(late, window, atMs);
          late = advance(late, choice);
          if (choice.kind === 'slot') counted += 1 + choice.missed;
        }
        expect(counted, `cycle ${cycle}`).toBe(planned.length);
        expect(late.lastAt, `cycle ${cycle}`).toBe(planned.at(-1) ?? null);
      }
    },
  );
});
