// Expressions of Jinja as trees (jinja2 3.1, parser.py), with no more structure than their policy looks at.
import { refuse } from '../refusal.ts';
import type { Token } from './lex-template.ts';

export type Expression =
  | { kind: 'name'; name: string }
  | { kind: 'text'; text: string; hasEscapes: boolean }
  /** A number, true, false or none. */
  | { kind: 'constant'; isInteger: boolean }
  /** Operators, lists, mappings, tuples and slices: all that counts are their parts. */
  | { kind: 'parts'; parts: Expression[] }
  | { kind: 'attribute'; of: Expression; name: string }
  | { kind: 'index'; of: Expression; index: Expression }
  | { kind: 'slice'; of: Expression; parts: Expression[] }
  | { kind: 'call'; of: Expression; args: Argument[] }
  | { kind: 'filter'; of: Expression; name: string; args: Argument[] }
  | { kind: 'test'; of: Expression; name: string; args: Argument[] };

export type Argument = { name?: string; value: Expression };

export type ExpressionParser = {
  /** One expression, or several with commas between them. */
  parseList(): Expression;
  /** Names with commas between them, as `for` and `set` bind them. */
  parseTargets(): string[];
  takeName(name: string): boolean;
  takeOperator(sign: string): boolean;
  /** Refuses what is left. */
  expectEnd(): void;
};

const words = new Set(['and', 'or', 'not', 'in', 'is', 'if', 'else', 'elif', 'recursive']);
const constants = new Set(['true', 'True', 'false', 'False', 'none', 'None']);
const signs = new Set(['+', '-', '*', '/', '//', '%', '**', '~', '==', '!=', '<', '<=', '>', '>=']);

/** Levels of brackets, filters and conditions within one another. */
const maxDepth = 40;
/** Attributes, calls and filters behind one another, and arguments of one call. */
const maxLinks = 100;

export function createExpressionParser(tokens: Token[], place: string): ExpressionParser {
  let at = 0;
  let depth = 0;

  function peekName(ahead = 0): string | undefined {
    const token = tokens[at + ahead];
    return token?.kind === 'name' ? token.text : undefined;
  }
  function peekOperator(ahead = 0): string | undefined {
    const token = tokens[at + ahead];
    return token?.kind === 'operator' ? token.text : undefined;
  }
  function takeName(name: string): boolean {
    const isThere = peekName() === name;
    if (isThere) at += 1;
    return isThere;
  }
  function takeOperator(sign: string): boolean {
    const isThere = peekOperator() === sign;
    if (isThere) at += 1;
    return isThere;
  }
  function expectOperator(sign: string): void {
    if (!takeOperator(sign)) fail();
  }
  function expectName(): string {
    const name = peekName();
    if (name === undefined || words.has(name)) return fail();
    at += 1;
    return name;
  }
  function fail(): never {
    return refuse(
      place,
      'not an expression of Jinja; text with {{ or {% of its own stands between {% raw %} and {% endraw %}',
    );
  }

  function parseExpression(): Expression {
    depth += 1;
    if (depth > maxDepth) refuse(place, 'an expression nested too deeply');
    const parts = [parseNegation()];
    for (;;) {
      if (takeName('and') || takeName('or')) parts.push(parseNegation());
      else if (takeBinaryOperator()) parts.push(parseOperand());
      else break;
    }
    if (takeName('if')) {
      parts.push(parseExpression());
      if (takeName('else')) parts.push(parseExpression());
    }
    depth -= 1;
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: 'parts', parts };
  }

  function takeBinaryOperator(): boolean {
    if (takeName('in')) return true;
    if (peekName() === 'not' && peekName(1) === 'in') {
      at += 2;
      return true;
    }
    const sign = peekOperator();
    return sign !== undefined && signs.has(sign) && takeOperator(sign);
  }

  /** Behind other operators Jinja takes `not` for the name of a variable. */
  function parseNegation(): Expression {
    if (!takeName('not')) return parseOperand();
    while (takeName('not'));
    return { kind: 'parts', parts: [parseOperand()] };
  }

  function parseOperand(): Expression {
    let isSigned = false;
    while (takeOperator('-') || takeOperator('+')) isSigned = true;
    const operand = parseFilters(parsePostfix(parsePrimary()));
    // A number with a sign is a number still.
    return !isSigned || operand.kind === 'constant' ? operand : { kind: 'parts', parts: [operand] };
  }

  function parsePrimary(): Expression {
    const token = tokens[at];
    if (token === undefined) return fail();
    if (token.kind === 'number') {
      at += 1;
      return { kind: 'constant', isInteger: token.isInteger };
    }
    if (token.kind === 'string') return parseText();
    if (token.kind === 'name') {
      if (!constants.has(token.text)) return { kind: 'name', name: expectName() };
      at += 1;
      return { kind: 'constant', isInteger: false };
    }
    if (takeOperator('(')) return parseItems(')', false);
    if (takeOperator('[')) return parseItems(']', false);
    if (takeOperator('{')) return parseItems('}', true);
    return fail();
  }

  /** Texts that follow one another are one text. */
  function parseText(): Expression {
    let text = '';
    let hasEscapes = false;
    for (let token = tokens[at]; token?.kind === 'string'; token = tokens[at]) {
      text += token.text;
      hasEscapes ||= token.hasEscapes;
      at += 1;
    }
    return { kind: 'text', text, hasEscapes };
  }

  function parseItems(closer: string, hasKeys: boolean): Expression {
    const parts: Expression[] = [];
    let hasComma = false;
    while (!takeOperator(closer)) {
      if (parts.length > 0) {
        expectOperator(',');
        hasComma = true;
        if (takeOperator(closer)) break;
      }
      const item = parseExpression();
      if (!hasKeys) parts.push(item);
      else {
        expectOperator(':');
        parts.push({ kind: 'parts', parts: [item, parseExpression()] });
      }
    }
    const [only] = parts;
    const isInBrackets = closer === ')' && !hasComma && parts.length === 1;
    return isInBrackets && only !== undefined ? only : { kind: 'parts', parts };
  }

  function parsePostfix(of: Expression): Expression {
    let node = of;
    for (let links = 0; ; links += 1) {
      if (links > maxLinks) refuse(place, 'an expression with too many parts');
      if (takeOperator('.')) node = parseAttribute(node);
      else if (takeOperator('[')) node = parseSubscript(node);
      else if (takeOperator('(')) node = { kind: 'call', of: node, args: parseArguments() };
      else return node;
    }
  }

  function parseAttribute(of: Expression): Expression {
    const token = tokens[at];
    at += 1;
    if (token?.kind === 'name') return { kind: 'attribute', of, name: token.text };
    if (token?.kind === 'number' && token.isInteger)
      return { kind: 'index', of, index: { kind: 'constant', isInteger: true } };
    return fail();
  }

  function parseSubscript(of: Expression): Expression {
    const parts: Expression[] = [];
    let isSlice = false;
    while (!takeOperator(']')) {
      if (takeOperator(':')) isSlice = true;
      else parts.push(parseExpression());
      if (!isSlice && peekOperator() !== ':' && peekOperator() !== ']') fail();
    }
    const [index] = parts;
    if (isSlice) return { kind: 'slice', of, parts };
    return index !== undefined && parts.length === 1 ? { kind: 'index', of, index } : fail();
  }

  /** `*args` and `**options` are refused: they would hide what is handed over. */
  function parseArguments(): Argument[] {
    const args: Argument[] = [];
    while (!takeOperator(')')) {
      if (args.length > maxLinks) refuse(place, 'an expression with too many parts');
      if (args.length > 0) {
        expectOperator(',');
        if (takeOperator(')')) break;
      }
      const name = peekName();
      if (name !== undefined && peekOperator(1) === '=') {
        at += 2;
        args.push({ name, value: parseExpression() });
      } else args.push({ value: parseExpression() });
    }
    return args;
  }

  function parseFilters(of: Expression): Expression {
    let node = of;
    for (let links = 0; ; links += 1) {
      if (links > maxLinks) refuse(place, 'an expression with too many parts');
      if (takeOperator('|')) {
        const name = parseDottedName();
        node = { kind: 'filter', of: node, name, args: takeOperator('(') ? parseArguments() : [] };
      } else if (takeName('is')) {
        takeName('not');
        const name = parseDottedName();
        node = { kind: 'test', of: node, name, args: parseTestArguments() };
      } else if (takeOperator('(')) node = { kind: 'call', of: node, args: parseArguments() };
      else return node;
    }
  }

  /** Tests are called `in`, too. */
  function parseDottedName(): string {
    let name = takeName('in') ? 'in' : expectName();
    while (takeOperator('.')) name += `.${expectName()}`;
    return name;
  }

  /** A test takes one argument without brackets: `is divisibleby 3`. */
  function parseTestArguments(): Argument[] {
    if (takeOperator('(')) return parseArguments();
    const token = tokens[at];
    // Jinja takes these for the name of a variable here.
    if (token?.kind === 'name' && words.has(token.text) && !['and', 'or', 'else'].includes(token.text))
      fail();
    const isArgument =
      token?.kind === 'string' ||
      token?.kind === 'number' ||
      (token?.kind === 'name' && !words.has(token.text)) ||
      (token?.kind === 'operator' && (token.text === '[' || token.text === '{'));
    return isArgument ? [{ value: parsePostfix(parsePrimary()) }] : [];
  }

  return {
    parseList() {
      const parts = [parseExpression()];
      while (takeOperator(',')) if (at < tokens.length) parts.push(parseExpression());
      return { kind: 'parts', parts };
    },
    parseTargets() {
      const isBracketed = takeOperator('(');
      const names = [expectName()];
      while (takeOperator(',')) names.push(expectName());
      if (isBracketed) expectOperator(')');
      return names;
    },
    takeName,
    takeOperator,
    expectEnd() {
      if (at < tokens.length) fail();
    },
  };
}
