// Texts that Ansible evaluates: templates, and conditions, which are expressions without delimiters.
import { refuse } from '../refusal.ts';
import { checkVariableName } from '../variable-names.ts';
import { checkExpression } from './check-expression.ts';
import { hasTemplate, lexExpression, lexTemplate, type Token } from './lex-template.ts';
import { createExpressionParser } from './parse-expression.ts';

/** Refuses a text with a template that could reach beyond its data. A text without delimiters is never looked at. */
export function checkTemplate(text: string, place: string): void {
  if (!hasTemplate(text)) return;
  for (const { kind, tokens } of lexTemplate(text, place)) {
    if (kind === 'statement') {
      checkStatement(tokens, place);
      continue;
    }
    const parser = createExpressionParser(tokens, place);
    checkExpression(parser.parseList(), place);
    parser.expectEnd();
  }
}

/**
 * Refuses a condition that could reach beyond its data. It is an expression as it stands; delimiters in it would have it
 * evaluated twice, the second time with whatever the first one made.
 */
export function checkCondition(text: string, place: string): void {
  if (hasTemplate(text)) refuse(place, 'a condition is an expression already, and may not have {{, {% or {#');
  if (text.trim() === '') return;
  const parser = createExpressionParser(lexExpression(text, place), place);
  checkExpression(parser.parseList(), place);
  parser.expectEnd();
}

function checkStatement(tokens: Token[], place: string): void {
  const [tag, ...rest] = tokens;
  if (tag?.kind !== 'name') refuse(place, 'a statement of a template that is not understood');
  const parser = createExpressionParser(rest, place);
  const checkValue = (): void => checkExpression(parser.parseList(), place);
  switch (tag.text) {
    case 'if':
    case 'elif':
      checkValue();
      break;
    case 'else':
    case 'endif':
    case 'endfor':
    case 'endset':
      break;
    case 'for':
      checkTargets(parser.parseTargets(), place);
      if (!parser.takeName('in')) refuse(place, 'a statement of a template that is not understood');
      checkValue();
      break;
    case 'set':
      checkTargets(parser.parseTargets(), place);
      if (parser.takeOperator('=')) checkValue();
      break;
    default:
      refuse(place, 'a template may use the statements if, for, set and raw, and no others');
  }
  parser.expectEnd();
}

function checkTargets(names: string[], place: string): void {
  for (const name of names) {
    checkVariableName(name, place);
    checkExpression({ kind: 'name', name }, place);
  }
}
