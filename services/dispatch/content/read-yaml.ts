// YAML 1.1 as Ansible reads it, without what reaches beyond data.
import { type Document, isScalar, parseDocument, type ScalarTag, visit } from 'yaml';
import { refuse } from './refusal.ts';

/** Aliases may multiply the nodes of a document by no more than this. */
const maxAliases = 50;

// The schema of PyYAML, which differs from YAML 1.1 in that `y` and `n`, `08` and `1e3` are text; a date stays text, too.
const prefix = 'tag:yaml.org,2002:';
const scalarTags: ScalarTag[] = [
  createTag('null', /^(?:~|null|Null|NULL|)$/, () => null),
  createTag('bool', /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/, () => true),
  createTag('bool', /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/, () => false),
  createTag('int', /^[-+]?0b[0-1_]+$/, (text) => readInteger(text, '0b', 2)),
  createTag('int', /^[-+]?0[0-7_]+$/, (text) => readInteger(text, '0', 8)),
  createTag('int', /^[-+]?0x[0-9a-fA-F_]+$/, (text) => readInteger(text, '0x', 16)),
  createTag('int', /^[-+]?(?:0|[1-9][0-9_]*)$/, (text) => readInteger(text, '', 10)),
  createTag('int', /^[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+$/, readSexagesimal),
  createTag('float', /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?$/, (text) =>
    Number.parseFloat(text.replaceAll('_', '')),
  ),
  createTag('float', /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/, () => Number.NaN),
];

function createTag(name: string, test: RegExp, resolve: (text: string) => unknown): ScalarTag {
  return { tag: `${prefix}${name}`, default: true, test, resolve };
}

function readInteger(text: string, mark: string, base: number): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const digits = text.replace(/^[-+]/, '').slice(mark.length).replaceAll('_', '');
  return sign * Number.parseInt(digits, base);
}

/** `1:30` is 90: PyYAML reads what looks like a time as a number to the base 60. */
function readSexagesimal(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const places = text.replace(/^[-+]/, '').replaceAll('_', '').split(':');
  return sign * places.reduce((sum, place) => sum * 60 + Number.parseInt(place, 10), 0);
}

/** The data of one YAML document. Refused are tags of any kind but `!!str`, `!!map` and `!!seq`, keys given twice, and too many aliases. */
export function readYaml(text: string, place: string): unknown {
  const document = parse(text, place);
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) {
    const line = fault.linePos?.[0].line;
    refuse(place, `${line === undefined ? '' : `line ${line}: `}${explain(fault.code)}`);
  }
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    // Too many aliases (ReferenceError), or a merge of what is no mapping.
    if (error instanceof Error) return refuse(place, 'YAML with too many aliases, or a merge of no mapping');
    throw error;
  }
}

function parse(text: string, place: string): Document {
  try {
    const document = parseDocument(text, {
      version: '1.1',
      schema: 'failsafe',
      customTags: scalarTags,
      merge: true,
      // The parser compares each key with all before it: a mapping of 50,000 would take it many seconds.
      uniqueKeys: false,
      stringKeys: true,
    });
    refuseKeysGivenTwice(document, text, place);
    return document;
  } catch (error) {
    // The parser calls itself for every level; thousands of them exhaust the stack.
    if (error instanceof RangeError) return refuse(place, 'nested too deeply');
    throw error;
  }
}

function refuseKeysGivenTwice(document: Document, text: string, place: string): void {
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          const line = text.slice(0, key.range?.[0] ?? 0).split('\n').length;
          refuse(place, `line ${line}: a key is given twice`);
        }
        seen.add(key.value);
      }
    },
  });
}

function explain(code: string): string {
  if (code === 'TAG_RESOLVE_FAILED') return 'a YAML tag, which is not allowed';
  if (code === 'MULTIPLE_DOCS') return 'more than one YAML document';
  if (code === 'RESOURCE_EXHAUSTION') return 'nested too deeply';
  return `neither JSON nor YAML (${code})`;
}
