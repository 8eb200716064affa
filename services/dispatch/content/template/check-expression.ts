// What an expression of Jinja may do. Only what is known to stay within data passes.
import { refuse } from '../refusal.ts';
import {
  filters,
  functions,
  methods,
  refusedAttributes,
  refusedFilters,
  refusedNames,
  refusedTests,
  tests,
} from './expression-tables.ts';
import type { Argument, Expression } from './parse-expression.ts';

/** Refuses an expression that could reach beyond its data. */
export function checkExpression(expression: Expression, place: string): void {
  switch (expression.kind) {
    case 'text':
    case 'constant':
      return;
    case 'name':
      checkName(expression.name, place);
      return;
    case 'parts':
      checkAll(expression.parts, place);
      return;
    case 'call':
      checkCallee(expression.of, place);
      checkArguments(expression.args, place);
      return;
    case 'attribute':
      checkAttribute(expression.name, place);
      break;
    case 'index':
      checkIndex(expression.index, place);
      break;
    case 'slice':
      checkAll(expression.parts, place);
      break;
    case 'filter':
      checkFilter(expression.name, expression.args, place);
      break;
    case 'test':
      checkTest(expression.name, expression.args, place);
      break;
  }
  checkExpression(expression.of, place);
}

function checkAll(expressions: Expression[], place: string): void {
  for (const expression of expressions) checkExpression(expression, place);
}

function checkArguments(args: Argument[], place: string): void {
  for (const { value } of args) checkExpression(value, place);
}

function checkName(name: string, place: string): void {
  const reason = refusedNames.get(name);
  if (reason !== undefined) refuse(place, `a template uses ${name}: ${reason}`);
  if (functions.has(name)) refuse(place, `a template uses ${name} without calling it`);
  if (name.startsWith('__')) refuse(place, 'a template uses a name of Python');
}

/** Of a mapping that does not have the key, Jinja takes the attribute of that name: both ways lead into Python. */
function checkAttribute(name: string, place: string): void {
  if (name.startsWith('_') || refusedAttributes.has(name))
    refuse(place, 'a template reads an attribute of Python');
}

function checkIndex(index: Expression, place: string): void {
  if (index.kind === 'constant' && index.isInteger) return;
  if (index.kind === 'text' && !index.hasEscapes) {
    checkAttribute(index.text, place);
    return;
  }
  // Ansible sets it, and nothing of a caller may have its name.
  if (index.kind === 'name' && index.name === 'inventory_hostname') return;
  // Without a default, which would come through as it is.
  if (index.kind === 'filter' && index.name === 'int' && index.args.length === 0) {
    checkExpression(index, place);
    return;
  }
  refuse(
    place,
    'a template works out an index, which could name an attribute of Python; use .get(…), or |int in a list',
  );
}

function checkCallee(callee: Expression, place: string): void {
  if (callee.kind === 'name' && functions.has(callee.name)) return;
  if (callee.kind === 'name') checkName(callee.name, place);
  if (callee.kind !== 'attribute' || !methods.has(callee.name))
    refuse(place, 'a template calls what is not known to be harmless');
  checkExpression(callee.of, place);
}

function stripCollection(name: string): string {
  return name.replace(/^ansible\.builtin\./, '');
}

function checkFilter(fullName: string, args: Argument[], place: string): void {
  const name = stripCollection(fullName);
  const reason = refusedFilters.get(name);
  if (reason !== undefined) refuse(place, `a template uses the filter ${name}, which ${reason}`);
  const rule = filters.get(name);
  const positional = args.filter((arg) => arg.name === undefined);
  const [first, second] = positional;
  const others = args.filter((arg) => arg !== first);
  switch (rule) {
    case undefined:
      refuse(place, 'a template uses a filter that is not known to be harmless');
      break;
    case 'plain':
      break;
    case 'attribute':
      checkPaths(args, place);
      break;
    case 'join':
      checkPaths(others, place);
      break;
    case 'map':
      if (first === undefined) checkMapAttribute(args, place);
      else checkFilter(readLiteral(first, place), others, place);
      break;
    case 'select':
      if (first !== undefined) checkTest(readLiteral(first, place), others, place);
      break;
    case 'selectattr':
      if (first === undefined) refuse(place, `a template uses the filter ${name} without an attribute`);
      checkPaths([first], place);
      if (second !== undefined)
        checkTest(
          readLiteral(second, place),
          others.filter((arg) => arg !== second),
          place,
        );
      break;
  }
  // What is left by the cases above has no place of its own in Jinja, but is evaluated all the same.
  checkArguments(args, place);
}

function checkMapAttribute(args: Argument[], place: string): void {
  checkPaths(
    args.filter((arg) => arg.name !== 'default'),
    place,
  );
}

function checkTest(fullName: string, args: Argument[], place: string): void {
  const name = stripCollection(fullName);
  if (refusedTests.has(name))
    refuse(place, `a template uses the test ${name}, which looks at files of the controller`);
  if (!tests.has(name)) refuse(place, 'a template uses a test that is not known to be harmless');
  checkArguments(args, place);
}

/** Arguments of which each may be a path of attributes. */
function checkPaths(args: Argument[], place: string): void {
  for (const arg of args) {
    if (arg.value.kind === 'constant') continue;
    for (const step of readLiteral(arg, place).split(/[.,]/)) checkAttribute(step.trim(), place);
  }
}

function readLiteral({ value }: Argument, place: string): string {
  if (value.kind === 'text' && !value.hasEscapes) return value.text;
  return refuse(place, 'a template works out the name of an attribute, a filter or a test');
}
