// One task, or one block of tasks, in the one form that is handed to Ansible.
import { isJsonObject, type JsonObject, type JsonValue, readText } from './json.ts';
import { builtinPrefix, type ModuleRule, modules, readMetaWord, refusedModules } from './modules.ts';
import { checkValue, isKeptPlain, keepPlain, plainMarkVariable } from './read-value.ts';
import { refuse, showKey } from './refusal.ts';
import { splitArguments } from './split-arguments.ts';
import { blockKeywords, readConditions, refusedKeywords, taskKeywords } from './task-keywords.ts';

const maxTasks = 500;

/** The tasks of a list, and of the blocks in it. */
export function readTasks(list: JsonValue[], place: string): JsonObject[] {
  const counter = { count: 0 };
  return readList(list, place, counter);
}

type Counter = { count: number };

function readList(list: JsonValue[], place: string, counter: Counter): JsonObject[] {
  return list.map((item, index) => {
    const at = `${place}[${index}]`;
    counter.count += 1;
    if (counter.count > maxTasks) refuse(at, `more than ${maxTasks} tasks`);
    if (!isJsonObject(item)) return refuse(at, 'expected a task');
    return sectionNames.some((name) => Object.hasOwn(item, name))
      ? readBlock(item, at, counter)
      : readTask(item, at);
  });
}

const sectionNames = ['block', 'rescue', 'always'];

function readBlock(given: JsonObject, place: string, counter: Counter): JsonObject {
  if (!Array.isArray(given.block)) refuse(place, 'block: expected a list of tasks');
  const sections: JsonObject = {};
  const keywords: JsonObject = {};
  for (const [key, value] of Object.entries(given)) {
    const read = blockKeywords.get(key);
    if (sectionNames.includes(key)) {
      if (value === null) continue;
      if (!Array.isArray(value)) return refuse(place, `${key}: expected a list of tasks`);
      sections[key] = readList(value, `${place}.${key}`, counter);
    } else if (read !== undefined) {
      if (value !== null) keywords[key] = read(value, `${place}: ${key}`);
    } else if (key !== 'name') refuseKey(key, place);
  }
  return finish({ ...readName(given, place), ...sections, ...keywords }, keywords);
}

function readTask(given: JsonObject, place: string): JsonObject {
  if (Object.hasOwn(given, 'hosts')) refuse(place, 'is a play; give the tasks of it alone');
  let action: { module: string; args: JsonValue } | undefined;
  const keywords: JsonObject = {};
  for (const [key, value] of Object.entries(given)) {
    const read = taskKeywords.get(key);
    if (read !== undefined) {
      if (value !== null) keywords[key] = read(value, `${place}: ${key}`);
    } else if (key === 'action' || isModule(key)) {
      if (action !== undefined) refuse(place, 'more than one module');
      action = key === 'action' ? readAction(value, place) : { module: key, args: value };
    } else if (key !== 'name' && key !== 'args') refuseKey(key, place);
  }
  if (action === undefined) return refuse(place, 'has no module');
  const args = readModule(action.module, action.args, given.args ?? null, place);
  return finish({ ...readName(given, place), ...args, ...keywords }, { ...args, ...keywords });
}

/** Adds the marked variable that `keepPlain` refers to. */
function finish(task: JsonObject, values: JsonObject): JsonObject {
  const { vars } = task;
  if (!isKeptPlain(values)) return task;
  return { ...task, vars: { ...(isJsonObject(vars) ? vars : {}), ...plainMarkVariable } };
}

function readName({ name }: JsonObject, place: string): JsonObject {
  if (name === undefined || name === null) return {};
  const text = typeof name === 'number' ? String(name) : name;
  if (typeof text !== 'string') return refuse(place, 'name: expected a text');
  checkValue(text, `${place}: name`);
  return { name: text };
}

function isModule(key: string): boolean {
  const name = stripPrefix(key);
  return name === 'meta' || modules.has(name) || refusedModules.has(name);
}

function stripPrefix(name: string): string {
  return name.startsWith(builtinPrefix) ? name.slice(builtinPrefix.length) : name;
}

function refuseKey(key: string, place: string): never {
  const shown = showKey(key);
  const reason = refusedKeywords.get(key);
  if (reason !== undefined) return refuse(place, `keyword ${key} is not allowed: ${reason}`);
  if (key.startsWith('with_'))
    return refuse(place, `keyword ${shown} is not allowed: with_items and with_dict are, and loop`);
  if (key.includes('.'))
    return refuse(place, `module ${shown} is not allowed: modules of ansible.builtin only`);
  return refuse(place, `${shown} is neither a keyword nor a module that may be used`);
}

/** `{module, args}`, `{module, …parameters}` or `module parameters`. */
function readAction(given: JsonValue, place: string): { module: string; args: JsonValue } {
  if (!isJsonObject(given)) {
    if (typeof given !== 'string') return refuse(place, 'action: expected a module and its arguments');
    const { word, rest } = splitModule(given);
    return { module: word, args: rest };
  }
  const { module, args, ...parameters } = given;
  if (typeof module !== 'string') return refuse(place, 'action: module is missing');
  const { word, rest } = splitModule(module);
  const forms = [
    args ?? null,
    rest === '' ? null : rest,
    Object.keys(parameters).length > 0 ? parameters : null,
  ];
  const [form = null, another] = forms.filter((item) => item !== null);
  if (another !== undefined) refuse(place, 'action: the arguments are given more than once');
  return { module: word, args: form };
}

function splitModule(text: string): { word: string; rest: string } {
  const [, word = '', rest = ''] = /^\s*(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  return { word, rest };
}

/** `more`: the keyword `args`, whose parameters those of the module itself override. */
function readModule(given: string, args: JsonValue, more: JsonValue, taskPlace: string): JsonObject {
  const name = stripPrefix(given);
  const place = `${taskPlace}: module ${showKey(name)}`;
  const reason = refusedModules.get(name);
  if (reason !== undefined) refuse(place, `not allowed: ${reason}`);
  if (name === 'meta') return { [`${builtinPrefix}meta`]: readMetaWord(args, place) };
  const rule = modules.get(name);
  if (rule === undefined) return refuse(place, 'not allowed: it is none of the modules that may be used');
  if (more !== null && !isJsonObject(more)) return refuse(place, 'args: expected a mapping, not a template');
  const own = readParameters(args, rule, place);
  const parameters: JsonObject = { ...more, ...own };
  for (const key of Object.keys(parameters)) checkParameterName(key, rule, Object.hasOwn(own, key), place);
  for (const [key, value] of Object.entries(parameters)) {
    if (rule.conditions?.includes(key)) readConditions(value, `${place}: ${key}`);
    else checkValue(value, `${place}: ${key}`);
  }
  rule.check?.(parameters, place);
  const kept = rule.isEvaluatedAgain === true ? keepPlain(parameters) : parameters;
  return { [`${builtinPrefix}${name}`]: kept };
}

function readParameters(args: JsonValue, rule: ModuleRule, place: string): JsonObject {
  if (args === null || args === '') return {};
  if (isJsonObject(args)) return renameFreeForm(args, rule, place);
  if (typeof args !== 'string') return refuse(place, 'expected parameters');
  const { options, freeText } = splitArguments(args, place, { isFreeForm: rule.freeForm !== undefined });
  const parameters: JsonObject = Object.fromEntries(options);
  if (freeText === '') return parameters;
  if (rule.freeForm === undefined) return refuse(place, 'arguments that are not key=value');
  return { ...parameters, [rule.freeForm]: readText(freeText, place) };
}

/** `raw` has no parameter for its command but the one that Ansible uses inside; callers write it as they do for `shell`. */
function renameFreeForm(args: JsonObject, { freeForm }: ModuleRule, place: string): JsonObject {
  const { cmd, ...others } = args;
  if (freeForm !== '_raw_params' || cmd === undefined) return args;
  if (typeof cmd !== 'string') return refuse(place, 'cmd: expected a text');
  return { ...others, _raw_params: cmd };
}

function checkParameterName(key: string, rule: ModuleRule, isOwn: boolean, place: string): void {
  const isFreeForm = isOwn && key === rule.freeForm;
  // Parameters in an underscore are Ansible's own, such as _ansible_remote_tmp and _uses_shell.
  if (!isFreeForm && !/^[A-Za-z][A-Za-z0-9_-]*$/.test(key))
    refuse(place, `${showKey(key)} is no name of a parameter`);
  if (rule.only !== undefined && !rule.only.includes(key)) refuse(place, `${showKey(key)} is not allowed`);
}
