// The keywords that tasks and blocks may have beside their module, and how the value of each is read.
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { checkValue, keepPlain } from './read-value.ts';
import { refuse, showKey } from './refusal.ts';
import { checkCondition } from './template/check-template.ts';
import { hasTemplate } from './template/lex-template.ts';
import { checkVariableName } from './variable-names.ts';

/** By this variable of their environment the processes of a run are found on a node. */
const runKeyVariable = 'PROBE_RUN_ID';

type ReadKeyword = (value: JsonValue, place: string) => JsonValue;

/** Of tasks and of blocks alike. */
const sharedKeywords: [string, ReadKeyword][] = [
  ['when', readConditions],
  ['become', readSwitch],
  ['become_user', readTemplate],
  // Others are plugins of Ansible with options of their own.
  ['become_method', (value, place) => readChoice(value, ['sudo', 'su'], place)],
  ['ignore_errors', readSwitch],
  ['ignore_unreachable', readSwitch],
  ['environment', readEnvironment],
  ['vars', readVariables],
  ['tags', readTags],
  ['check_mode', readSwitch],
  ['diff', readSwitch],
  ['no_log', readSwitch],
  ['run_once', readSwitch],
  ['any_errors_fatal', readSwitch],
  ['throttle', readNumber],
  ['timeout', readNumber],
];

export const blockKeywords: ReadonlyMap<string, ReadKeyword> = new Map(sharedKeywords);

export const taskKeywords: ReadonlyMap<string, ReadKeyword> = new Map<string, ReadKeyword>([
  ...sharedKeywords,
  ['loop', readLoop],
  ['loop_control', readLoopControl],
  ['with_items', readTemplates],
  ['with_dict', readTemplates],
  ['register', readName],
  ['until', readConditions],
  ['retries', readNumber],
  ['delay', readNumber],
  ['changed_when', readConditions],
  ['failed_when', readConditions],
  ['async', readNumber],
  ['poll', readNumber],
]);

export const refusedKeywords = new Map([
  ['delegate_to', 'tasks run on their node only'],
  ['delegate_facts', 'tasks run on their node only'],
  ['local_action', 'it runs on the controller'],
  ['connection', 'it moves the task to the controller'],
  ['remote_user', 'the user belongs to the request'],
  ['port', 'the port belongs to the node'],
  ['become_exe', 'it names a program'],
  ['become_flags', 'it gives options to a program'],
  ['collections', 'modules of ansible.builtin only'],
  ['module_defaults', 'it sets parameters out of sight'],
  ['notify', 'there are no handlers'],
  ['listen', 'there are no handlers'],
  ['debugger', 'it waits for somebody at a keyboard'],
  ['loop_with', 'lookups run on the controller'],
  ['async_val', 'it is a part of Ansible'],
  ['static', 'it belongs to includes'],
  ['first_available_file', 'it reads files of the controller'],
]);

function readSwitch(value: JsonValue, place: string): JsonValue {
  if (typeof value === 'boolean' || value === 0 || value === 1) return value;
  const isWord = typeof value === 'string' && /^(?:yes|no|on|off|true|false|1|0)$/i.test(value);
  if (isWord) return value;
  return typeof value === 'string' && hasTemplate(value)
    ? readTemplate(value, place)
    : refuse(place, 'expected true or false');
}

function readNumber(value: JsonValue, place: string): JsonValue {
  if (typeof value === 'number' && value >= 0) return value;
  if (typeof value === 'string' && (hasTemplate(value) || /^\d{1,9}$/.test(value)))
    return readTemplate(value, place);
  return refuse(place, 'expected a number');
}

function readTemplate(value: JsonValue, place: string): JsonValue {
  if (typeof value !== 'string') return refuse(place, 'expected a text');
  checkValue(value, place);
  return value;
}

function readTemplates(value: JsonValue, place: string): JsonValue {
  checkValue(value, place);
  return value;
}

function readChoice(value: JsonValue, choices: string[], place: string): JsonValue {
  return choices.some((choice) => choice === value)
    ? value
    : refuse(place, `expected one of ${choices.join(', ')}`);
}

function readName(value: JsonValue, place: string): JsonValue {
  if (typeof value !== 'string') return refuse(place, 'expected the name of a variable');
  checkVariableName(value, place);
  return value;
}

/** One condition, or several that all have to hold. */
export function readConditions(value: JsonValue, place: string): JsonValue {
  for (const condition of Array.isArray(value) ? value : [value]) {
    if (typeof condition === 'boolean') continue;
    if (typeof condition !== 'string') refuse(place, 'expected a condition');
    else checkCondition(condition, place);
  }
  return value;
}

/** Items are evaluated again, as values of the loop's variable. */
function readLoop(value: JsonValue, place: string): JsonValue {
  if (!Array.isArray(value) && typeof value !== 'string') refuse(place, 'expected a list');
  checkValue(value, place);
  return keepPlain(value);
}

function readLoopControl(value: JsonValue, place: string): JsonValue {
  const control = readObject(value, place);
  for (const [key, setting] of Object.entries(control)) {
    const at = `${place}.${showKey(key)}`;
    if (key === 'loop_var' || key === 'index_var') readName(setting, at);
    else if (key === 'label') checkValue(setting, at);
    else if (key === 'pause') readNumber(setting, at);
    else if (key === 'extended' || key === 'extended_allitems') readSwitch(setting, at);
    else refuse(at, 'not a part of loop_control');
  }
  return control;
}

/** Ansible evaluates the values of the environment three times over. */
function readEnvironment(value: JsonValue, place: string): JsonValue {
  for (const item of Array.isArray(value) ? value : [value]) {
    for (const [key, setting] of Object.entries(readObject(item, place))) {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) refuse(place, `${showKey(key)} is no name of a variable`);
      if (key === runKeyVariable) refuse(place, `${runKeyVariable} marks the processes of the run`);
      if (isJsonObject(setting) || Array.isArray(setting))
        refuse(`${place}.${showKey(key)}`, 'expected a text');
      checkValue(setting, `${place}.${showKey(key)}`);
    }
  }
  return keepPlain(value);
}

function readVariables(value: JsonValue, place: string): JsonValue {
  const variables = readObject(value, place);
  for (const [key, setting] of Object.entries(variables)) {
    checkVariableName(key, place);
    checkValue(setting, `${place}.${showKey(key)}`);
  }
  // Facts and items of loops are made of them.
  return keepPlain(variables);
}

function readTags(value: JsonValue, place: string): JsonValue {
  for (const tag of Array.isArray(value) ? value : [value])
    if ((typeof tag !== 'string' && typeof tag !== 'number') || hasTemplate(String(tag)))
      refuse(place, 'expected words');
  return value;
}

function readObject(value: JsonValue, place: string): JsonObject {
  return isJsonObject(value) ? value : refuse(place, 'expected a mapping');
}
