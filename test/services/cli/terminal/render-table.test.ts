import { describe, expect, test } from 'vitest';
import { displayWidth } from '../../../../services/cli/terminal/display-width.ts';
import { type Column, renderTable } from '../../../../services/cli/terminal/render-table.ts';

type Row = { name: string; place: string; lost: number };

const columns: Column<Row>[] = [
  { title: 'NAME', isElastic: true, cell: ({ name }) => name },
  { title: 'PLACE', isFoldable: true, cell: ({ place }) => place },
  { title: 'LOST', align: 'right', isFoldable: true, cell: ({ lost }) => String(lost) },
];
const rows: Row[] = [
  { name: 'first', place: '86/440000 电信', lost: 0 },
  { name: 'second', place: '-', lost: 12 },
];
const atWidth = (width: number | undefined) => ({ width, hasColour: false });

describe('renderTable', () => {
  test('stands in columns where there is room', () => {
    const expected = [
      'NAME    PLACE           LOST',
      'first   86/440000 电信     0',
      'second  -                 12',
    ];
    expect(renderTable(rows, { columns }, atWidth(undefined))).toEqual(expected);
    expect(renderTable(rows, { columns }, atWidth(28))).toEqual(expected);
  });

  test('puts the last foldable columns below their row, where they hold anything', () => {
    expect(renderTable(rows, { columns }, atWidth(27))).toEqual([
      'NAME    PLACE',
      'first   86/440000 电信',
      'second  -',
      '    LOST 12',
    ]);
    expect(renderTable(rows, { columns }, atWidth(20))).toEqual([
      'NAME',
      'first',
      '    PLACE',
      '      86/440000 电信',
      'second',
      '    LOST 12',
    ]);
  });

  test('puts as many of them on a line as it holds, and what follows below them', () => {
    const row = { name: 'n'.repeat(30), place: '86/440000 电信', lost: 3 };
    const trailer = { title: 'ANSWERS', lines: () => ['192.0.2.1', '192.0.2.2'] };
    expect(renderTable([row], { columns, trailer }, atWidth(40))).toEqual([
      'NAME',
      'n'.repeat(30),
      '    PLACE 86/440000 电信  LOST 3',
      '    192.0.2.1',
      '    192.0.2.2',
    ]);
  });

  test('shortens elastic columns only when all that fold are folded, as they like best', () => {
    const row = { name: 'a, b, c, d, e, f', place: 'x'.repeat(8), lost: 1 };
    const listing = columns.map((column) =>
      column.title === 'NAME' ? { ...column, shorten: (_row: Row, size: number) => `${size} +5` } : column,
    );
    expect(renderTable([row], { columns: listing }, atWidth(17))).toEqual([
      'NAME',
      'a, b, c, d, e, f',
      '    PLACE',
      '      xxxxxxxx',
      '    LOST 1',
    ]);
    expect(renderTable([row], { columns: listing }, atWidth(12))[1]).toBe('12 +5');
    expect(renderTable([row], { columns }, atWidth(12))[1]).toBe('a, b, c, d,…');
  });

  test('keeps every line within the terminal', () => {
    const long = { name: '名'.repeat(40), place: `${'区'.repeat(30)} ${'x'.repeat(60)}`, lost: 7 };
    for (const width of [20, 40, 80, 120]) {
      const lines = renderTable([...rows, long], { columns }, atWidth(width));
      expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(width);
    }
  });

  test('renders rows without a colour of their own plain', () => {
    const painted = columns.map((column) => ({
      ...column,
      colour: ({ lost }: Row) => (lost > 0 ? ('red' as const) : undefined),
    }));
    const lines = renderTable(rows, { columns: painted }, { width: undefined, hasColour: true });
    expect(lines[1]).not.toContain('\u001b');
    expect(lines[2]).toContain('\u001b[31m  12\u001b[39m');
  });
});
