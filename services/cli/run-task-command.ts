// The task command from its arguments to what it prints: parse → find the bus → call → tables or JSON.
import { decodeJson } from '../../contracts/decode.ts';
import { formatErrorReply } from '../../contracts/errors.ts';
import { type Caller, callBus, FailedCall } from './call-bus.ts';
import { type ChangedTask, changeTasks } from './change-tasks.ts';
import {
  type CommandOptions,
  type CommandResult,
  findBusOrFaults,
  type OutputForm,
  reportFailure,
  reportFaults,
} from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { formatDocumentJson, formatReplyJson } from './format-json.ts';
import { findTakenOptions } from './npm-options.ts';
import { printable } from './printable-text.ts';
import { renderResults } from './render-results.ts';
import { renderSlots } from './render-slots.ts';
import { renderTask, renderTasks } from './render-tasks.ts';
import { parseTaskArguments, type TaskChange, type TaskRequest } from './task-arguments.ts';
import { type Documented, getTask, listResults, listSlots, listTasks } from './task-calls.ts';
import { taskHelp } from './task-help.ts';

const shownSlots = 10;

/** `npm run task` with `args` (without program and script). Writes nothing but the progress. */
export async function runTaskCommand(
  args: readonly string[],
  { env, output, progress }: CommandOptions,
): Promise<CommandResult> {
  const taken = findTakenOptions('task', env);
  if (taken.length > 0) return reportFaults('task', taken, false, output);
  const parsed = parseTaskArguments(args);
  if (parsed.kind === 'help') return { exitCode: exitCodes.done, stdout: taskHelp, stderr: '' };
  if (parsed.kind === 'faults') return reportFaults('task', parsed.faults, parsed.isJson, output);

  const { request, isJson } = parsed;
  const bus = await findBusOrFaults(env);
  if ('faults' in bus) return reportFaults('task', bus.faults, isJson, output);
  try {
    const waiting = { label: describeWait(request) };
    return await callBus({ config: bus.config, progress, waiting }, (caller) =>
      carryOut(request, isJson, caller, output),
    );
  } catch (error) {
    if (error instanceof FailedCall) return reportFailure('task', error, isJson, output);
    throw error;
  }
}

function describeWait(request: TaskRequest): string {
  switch (request.kind) {
    case 'create':
      return 'creating';
    case 'change':
      return { pause: 'pausing', resume: 'resuming', delete: 'deleting' }[request.change];
    default:
      return 'reading';
  }
}

async function carryOut(
  request: TaskRequest,
  isJson: boolean,
  caller: Caller,
  output: OutputForm,
): Promise<CommandResult> {
  const print = (document: unknown, render: () => string): CommandResult => ({
    exitCode: exitCodes.done,
    stdout: isJson ? formatDocumentJson(document, output.isTerminal) : render(),
    stderr: '',
  });

  switch (request.kind) {
    case 'list': {
      const { items, hasMore } = await listTasks(caller, request);
      return print(items.map(readDocument), () => renderTasks(items.map(readValue), hasMore, output));
    }
    case 'show': {
      const task = await getTask(caller, request.taskId);
      const slots = await listSlots(caller, { task_id: request.taskId }, shownSlots);
      const page = { hasTask: false, hasOlder: false };
      return print({ task: task.document, slots: slots.items.map(readDocument) }, () =>
        [renderTask(task.value, output), renderSlots(slots.items.map(readValue), page, output)].join('\n'),
      );
    }
    case 'create': {
      const { reply, body } = await caller.call('taskCreate', request.task);
      const stdout = isJson ? formatReplyJson(body, output.isTerminal) : renderTask(reply, output);
      return { exitCode: exitCodes.done, stdout, stderr: '' };
    }
    case 'change': {
      const changed = await changeTasks(caller, request.change, request.taskIds);
      return formatChanges(request.change, changed, isJson, output);
    }
    case 'results': {
      const { items, nextCursor, hasMore } = await listResults(caller, request.filter, request.limit);
      const page = { hasTask: request.filter.task_id === undefined, hasOlder: hasMore };
      return print({ results: items.map(readDocument), next_cursor: nextCursor }, () =>
        renderResults(items.map(readValue), page, output),
      );
    }
    case 'slots': {
      const { items, nextCursor, hasMore } = await listSlots(caller, request.filter, request.limit);
      const page = { hasTask: request.filter.task_id === undefined, hasOlder: hasMore };
      return print({ slots: items.map(readDocument), next_cursor: nextCursor }, () =>
        renderSlots(items.map(readValue), page, output),
      );
    }
  }
}

/** One line for each task, those that failed as errors; with `--json` a list of replies and error envelopes. */
function formatChanges(
  change: TaskChange,
  changed: ChangedTask[],
  isJson: boolean,
  { isTerminal }: OutputForm,
): CommandResult {
  const failed = changed.flatMap((task) => (task.kind === 'failed' ? [task] : []));
  const exitCode = failed.length === 0 ? exitCodes.done : exitCodes.partFailed;
  if (isJson) {
    const documents = changed.map((task) =>
      task.kind === 'changed'
        ? decodeJson(task.body)
        : { task_id: task.taskId, ...formatErrorReply(task.failure.error) },
    );
    return { exitCode, stdout: formatDocumentJson(documents, isTerminal), stderr: '' };
  }
  const past = { pause: 'paused', resume: 'resumed', delete: 'deleted' }[change];
  const done = changed.flatMap(({ kind, taskId }) =>
    kind === 'changed' ? [`task ${taskId} ${past}\n`] : [],
  );
  const faults = failed.map(
    ({ taskId, failure: { error } }) => `task: ${taskId}: ${error.code}: ${printable(error.message)}\n`,
  );
  return { exitCode, stdout: done.join(''), stderr: faults.join('') };
}

function readDocument({ document }: Documented<unknown>): unknown {
  return document;
}

function readValue<Value>({ value }: Documented<Value>): Value {
  return value;
}
