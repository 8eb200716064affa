import { describe, expect, test } from 'vitest';
import { renderCells } from '../../../../services/cli/probe/render-cells.ts';
import { displayWidth } from '../../../../services/cli/terminal/display-width.ts';
import { answerRecord, verboseRow } from '../verbose-row.ts';

const elsewhere = { width: undefined, hasColour: false };
const beijing = { country: '86', province: '110000', city: '110100', carrier: '联通' };

describe('renderCells', () => {
  test('shows one line per row, further answers below the first, and the counts', () => {
    const rows = [
      verboseRow({ answer_section: [answerRecord('A', '192.0.2.1'), answerRecord('A', '192.0.2.2')] }),
      verboseRow({
        agent_id: 'agent-22',
        device: { ...beijing, carrier: 'CU' },
        dns_response_status: 'TIMEOUT',
        delay: null,
      }),
    ];
    expect(renderCells(rows, elsewhere)).toBe(
      [
        'AGENT     PLACE                  SERVER      STATUS   DELAY ms  ANSWERS',
        'agent-1   86/440000/440400 电信  192.0.2.53  NOERROR      1.50  192.0.2.1',
        '                                                                192.0.2.2',
        'agent-22  86/110000/110100 CU    192.0.2.53  TIMEOUT         -  -',
        '',
        '2 cells, 1 answered; NOERROR 1, TIMEOUT 1; p50 delay 1.50 ms',
        '',
      ].join('\n'),
    );
  });

  test('aligns columns behind wide characters', () => {
    const rows = [
      verboseRow({ agent_id: '代理一' }),
      verboseRow({ agent_id: 'agent-long', device: { ...beijing, carrier: 'x' } }),
    ];
    const [, first = '', second = ''] = renderCells(rows, elsewhere).split('\n');
    const columnOf = (line: string, text: string) => displayWidth(line.slice(0, line.indexOf(text)));
    expect(columnOf(first, 'NOERROR')).toBe(columnOf(second, 'NOERROR'));
    expect(columnOf(first, '1.50')).toBe(columnOf(second, '1.50'));
  });

  test('shows names and types only where they differ', () => {
    const header = (rows: Parameters<typeof renderCells>[0]) => renderCells(rows, elsewhere).split('\n')[0];
    expect(header([verboseRow(), verboseRow()])).not.toMatch(/NAME|TYPE/);
    expect(header([verboseRow(), verboseRow({ domain: 'other.test' })])).toMatch(/NAME {2,}STATUS/);
    expect(header([verboseRow(), verboseRow({ rtype: 'MX' })])).toMatch(/TYPE {2,}STATUS/);
  });

  test('says the type of answers that were not asked for', () => {
    const answers = [answerRecord('CNAME', 'web.example.test.'), answerRecord('A', '192.0.2.1')];
    const [, first, second] = renderCells([verboseRow({ answer_section: answers })], elsewhere).split('\n');
    expect(first).toMatch(/ {2}CNAME web\.example\.test\.$/);
    expect(second).toMatch(/^ +192\.0\.2\.1$/);
  });

  test('cuts and wraps nothing without a width', () => {
    const text = `"${'x'.repeat(5000)} y"`;
    const row = verboseRow({
      domain: 'd'.repeat(300),
      answer_section: [answerRecord('TXT', text)],
      rtype: 'TXT',
    });
    const output = renderCells([row, verboseRow()], elsewhere);
    expect(output).toContain(text);
    expect(output).toContain('d'.repeat(300));
  });

  test('wraps answers beside the row where there is room for them', () => {
    const row = verboseRow({
      rtype: 'TXT',
      answer_section: [answerRecord('TXT', `"${'word '.repeat(20)}"`)],
    });
    const lines = renderCells([row], { width: 100, hasColour: false }).split('\n');
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(100);
    expect(lines[1]).toContain('NOERROR      1.50  "word word');
    expect(lines.join(' ').match(/word/g)).toHaveLength(20);
  });

  test('puts answers below their row where there is none', () => {
    const row = verboseRow({ answer_section: [answerRecord('A', '192.0.2.1')] });
    const lines = renderCells([row], { width: 66, hasColour: false }).split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'AGENT    PLACE                  SERVER      STATUS   DELAY ms',
      'agent-1  86/440000/440400 电信  192.0.2.53  NOERROR      1.50',
      '    192.0.2.1',
    ]);
  });

  test('shortens the widest columns of a narrow terminal, never status and delay', () => {
    const row = verboseRow({
      agent_id: 'a'.repeat(60),
      dns_response_status: 'AGENT_OVERLOADED',
      delay: 12.345,
    });
    const lines = renderCells([row], { width: 70, hasColour: false }).split('\n');
    expect(lines[1]).toMatch(/^a+… {2}.+ {2}AGENT_OVERLOADED {5}12\.3[45]$/);
    expect(displayWidth(lines[1] ?? '')).toBe(70);
  });

  test('colours statuses by what they mean', () => {
    const rows = ['NOERROR', 'SERVFAIL', 'TIMEOUT'].map((status) =>
      verboseRow({ dns_response_status: status }),
    );
    const coloured = renderCells(rows, { width: undefined, hasColour: true });
    expect(coloured).toContain('\u001b[32mNOERROR');
    expect(coloured).toContain('\u001b[33mSERVFAIL');
    expect(coloured).toContain('\u001b[31mTIMEOUT');
    expect(renderCells(rows, elsewhere)).not.toContain('\u001b');
  });

  test('shows control characters instead of letting them act', () => {
    const row = verboseRow({
      agent_id: 'x\u001b[2J',
      device: { country: '\r', province: '\u009b1A', city: '\u202e', carrier: '\n' },
      dns_response_status: 'A\u0007',
      dns_server: 'b\u0000',
      answer_section: [answerRecord('T\u001b', '"\u0085"')],
    });
    const output = renderCells([row], elsewhere);
    expect(output.replaceAll('\n', '')).toMatch(/^[^\p{Cc}\u202e]*$/u);
    expect(output).toContain('x\\u{001b}[2J');
    expect(output.split('\n')).toHaveLength(5);
  });

  test('renders no rows at all', () => {
    expect(renderCells([], { width: 80, hasColour: false })).toContain('0 cells, 0 answered; -; p50 delay -');
  });

  test('renders ten thousand rows within a second', () => {
    const rows = Array.from({ length: 10_000 }, (_, index) =>
      verboseRow({ agent_id: `agent-${index}`, answer_section: [answerRecord('A', '192.0.2.1')] }),
    );
    const startedAt = performance.now();
    expect(renderCells(rows, { width: 120, hasColour: true }).split('\n')).toHaveLength(10_004);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});
