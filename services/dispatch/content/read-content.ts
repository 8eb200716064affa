// What a caller wants to run, read into the one form that is handed to Ansible.
import { isDeepStrictEqual } from 'node:util';
import type { Content, Reading } from './content.ts';
import { isJsonObject, type JsonValue, measureJson, readJson } from './json.ts';
import { readTasks } from './read-task.ts';
import { readYaml } from './read-yaml.ts';
import { refuse, settleReading } from './refusal.ts';

export type { Content, Reading } from './content.ts';

const maxOctets = 256 * 1024;
const maxDepth = 32;

/**
 * The content of a request: tasks as in a play, tasks as `{"action": {"module", "args"}}`, or names of roles; as an array, or
 * as JSON or YAML 1.1 in a string. `tasks` and `content` mean the same, and have to be the same where both are given;
 * `tasktype` has to agree with what is there. `roles`: those that may be asked for.
 *
 * Tasks come out with the full names of their modules and with all arguments as mappings, in a subset of Ansible that leaves
 * the machine that runs it alone: see modules.ts, task-keywords.ts and template/.
 */
export function readContent(
  given: { tasks?: unknown; content?: unknown; tasktype?: string | null },
  roles: ReadonlySet<string>,
): Reading<Content> {
  return settleReading(() => {
    const content = shapeContent(chooseForm(given.tasks, given.content), roles);
    const expected = content.kind === 'tasks' ? 'ansible_task' : 'ansible_role';
    const { tasktype = null } = given;
    if (tasktype !== null && tasktype !== expected) refuse('tasktype', `the content is of ${expected}`);
    return content;
  });
}

function chooseForm(tasks: unknown, content: unknown): JsonValue {
  const isTasksMissing = tasks === undefined || tasks === null;
  const isContentMissing = content === undefined || content === null;
  if (isTasksMissing && isContentMissing) return refuse('', 'tasks is missing');
  if (isTasksMissing) return readTree(content, 'content');
  const tree = readTree(tasks, 'tasks');
  if (!isContentMissing && !isDeepStrictEqual(tree, readTree(content, 'content')))
    return refuse('', 'tasks and content are both given, and differ');
  return tree;
}

function readTree(given: unknown, place: string): JsonValue {
  if (typeof given === 'string' && given.length > maxOctets)
    return refuse(place, `more than ${maxOctets} octets`);
  const tree = readJson(typeof given === 'string' ? parseText(given, place) : given, place, maxDepth);
  if (measureJson(tree) > maxOctets) return refuse(place, `more than ${maxOctets} octets`);
  return tree;
}

function parseText(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return readYaml(text, place);
    throw error;
  }
}

function shapeContent(tree: JsonValue, roles: ReadonlySet<string>): Content {
  const list = isJsonObject(tree) ? [tree] : tree;
  if (!Array.isArray(list)) return refuse('tasks', 'expected a list of tasks or of names of roles');
  if (list.length === 0) return refuse('tasks', 'is empty');
  const names = list.filter((item) => typeof item === 'string');
  if (names.length === 0) return { kind: 'tasks', tasks: readTasks(list, 'tasks') };
  if (names.length < list.length) return refuse('tasks', 'has both tasks and names of roles');
  for (const [index, name] of names.entries())
    if (!roles.has(name)) refuse(`tasks[${index}]`, 'no role of this service has that name');
  return { kind: 'roles', roles: names };
}
