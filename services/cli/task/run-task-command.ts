// The task command: calls about tasks and their history → tables, or the replies.
import { decodeJson } from '../../../contracts/decode.ts';
import { formatErrorReply } from '../../../contracts/errors.ts';
import type { Command, CommandResult } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatDocumentJson, formatReplyJson } from '../format-json.ts';
import { type CommandParts, runCommand, type Session } from '../run-command.ts';
import { printable } from '../terminal/printable-text.ts';
import { type ChangedTask, changeTasks } from './change-tasks.ts';
import { renderResults } from './render-results.ts';
import { renderSlots } from './render-slots.ts';
import { renderTask, renderTasks } from './render-tasks.ts';
import { parseTaskArguments, type TaskChange, type TaskRequest, taskOptions } from './task-arguments.ts';
import { type Documented, getTask, listResults, listSlots, listTasks } from './task-calls.ts';
import { taskHelp } from './task-help.ts';

const shownSlots = 10;

const taskCommand: CommandParts<TaskRequest> = {
  name: 'task',
  help: taskHelp,
  options: taskOptions,
  parse: parseTaskArguments,
  waiting: (request) => ({ label: describeWait(request) }),
  carryOut,
};

/** `npm run task`. */
export const runTaskCommand: Command = (args, options) => runCommand(taskCommand, args, options);

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

async function carryOut(request: TaskRequest, session: Session): Promise<CommandResult> {
  const { caller, isJson, output } = session;
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
    case 'change':
      return changeAll(request, session);
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

/**
 * A line for each task as soon as it is done, so that an interrupted command has said how far it came; with `--json` a
 * list of replies and error envelopes at the end.
 */
async function changeAll(
  { change, taskIds }: TaskRequest & { kind: 'change' },
  { caller, isJson, output, write }: Session,
): Promise<CommandResult> {
  const changed: ChangedTask[] = [];
  for await (const task of changeTasks(caller, change, taskIds)) {
    changed.push(task);
    if (isJson) continue;
    await write(task.kind === 'failed' ? 'stderr' : 'stdout', formatChange(change, task));
  }
  const hasFailed = changed.some(({ kind }) => kind === 'failed');
  return {
    exitCode: hasFailed ? exitCodes.partFailed : exitCodes.done,
    stdout: isJson ? formatDocumentJson(changed.map(documentOf), output.isTerminal) : '',
    stderr: '',
  };
}

function formatChange(change: TaskChange, task: ChangedTask): string {
  const { taskId } = task;
  if (task.kind === 'changed') {
    return `task ${taskId} ${{ pause: 'paused', resume: 'resumed', delete: 'deleted' }[change]}\n`;
  }
  const { error } = task.failure;
  return `task: ${taskId}: ${error.code}: ${printable(error.message)}\n`;
}

function documentOf(task: ChangedTask): unknown {
  if (task.kind === 'changed') return decodeJson(task.body);
  return { task_id: task.taskId, ...formatErrorReply(task.failure.error) };
}

function readDocument({ document }: Documented<unknown>): unknown {
  return document;
}

function readValue<Value>({ value }: Documented<Value>): Value {
  return value;
}
