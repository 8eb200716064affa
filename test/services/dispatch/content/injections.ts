// Content that reaches the machine which runs Ansible; `command` is the shell command that it would run there.

export type Injection = { title: string; tasks: (command: string) => unknown[] };

const pipe = (command: string): string => `lookup('pipe', '${command}')`;
const output = (expression: string): string => `{{ ${expression} }}`;
const system = (path: string, command: string): string => `{{ ${path}.system('${command}') }}`;
const debug = (msg: string) => ({ debug: { msg } });

/** Each of these runs its command when it is handed to Ansible as it is. */
export const injections: Injection[] = [
  { title: 'a lookup', tasks: (command) => [debug(output(pipe(command)))] },
  { title: 'query', tasks: (command) => [debug(output(`query('pipe', '${command}')`))] },
  { title: 'q', tasks: (command) => [debug(output(`q('pipe', '${command}')`))] },
  {
    title: 'a lookup under another name',
    tasks: (command) => [debug(`{% set f = lookup %}{{ f('pipe', '${command}') }}`)],
  },
  {
    title: 'a lookup out of a list',
    tasks: (command) => [debug(output(`[lookup][0]('pipe', '${command}')`))],
  },
  {
    title: 'a lookup out of an argument',
    tasks: (command) => [debug(output(`dict(f=lookup).f('pipe', '${command}')`))],
  },
  { title: 'a lookup in when', tasks: (command) => [{ ...debug(''), when: `${pipe(command)} == ''` }] },
  {
    title: 'a lookup in a list of conditions',
    tasks: (command) => [{ ...debug(''), when: ['true', pipe(command)] }],
  },
  { title: 'a lookup in failed_when', tasks: (command) => [{ ...debug(''), failed_when: pipe(command) }] },
  { title: 'a lookup in changed_when', tasks: (command) => [{ ...debug(''), changed_when: pipe(command) }] },
  {
    title: 'a lookup in until',
    tasks: (command) => [{ ...debug(''), until: `${pipe(command)} == ''`, retries: 1, delay: 0 }],
  },
  { title: 'a lookup in assert', tasks: (command) => [{ assert: { that: [`${pipe(command)} == ''`] } }] },
  {
    title: 'a lookup in debug.var',
    tasks: (command) => [{ debug: { var: `'' | default(${pipe(command)}, true)` } }],
  },
  { title: 'a lookup in a loop', tasks: (command) => [{ ...debug(''), loop: [output(pipe(command))] }] },
  {
    title: 'a lookup in with_items',
    tasks: (command) => [{ ...debug(''), with_items: output(pipe(command)) }],
  },
  {
    title: 'a lookup in the label of a loop',
    tasks: (command) => [{ ...debug(''), loop: [1], loop_control: { label: output(pipe(command)) } }],
  },
  {
    title: 'a lookup in vars',
    tasks: (command) => [{ ...debug('{{ a }}'), vars: { a: output(pipe(command)) } }],
  },
  {
    title: 'a lookup in the vars of a block',
    tasks: (command) => [{ block: [debug('{{ a }}')], vars: { a: output(pipe(command)) } }],
  },
  {
    title: 'a lookup in environment',
    tasks: (command) => [{ command: 'true', environment: { A: output(pipe(command)) } }],
  },
  { title: 'a lookup in a name', tasks: (command) => [{ ...debug(''), name: output(pipe(command)) }] },
  {
    title: 'a lookup in become_user',
    tasks: (command) => [{ ...debug(''), become_user: output(pipe(command)) }],
  },
  {
    title: 'a lookup in ignore_errors',
    tasks: (command) => [{ ...debug(''), ignore_errors: output(`${pipe(command)} == ''`) }],
  },
  {
    title: 'a lookup in the keyword args',
    tasks: (command) => [{ command: 'true', args: { chdir: output(pipe(command)) } }],
  },
  {
    title: 'arguments that are a template',
    tasks: (command) => [{ debug: null, args: output(pipe(command)) }],
  },
  {
    title: 'a lookup in a rescue',
    tasks: (command) => [{ block: [{ fail: {} }], rescue: [debug(output(pipe(command)))] }],
  },
  {
    title: 'a template that is written in escapes among key=value',
    tasks: (command) => [{ shell: `true creates="\\x7b\\x7b ${pipe(command)} \\x7d\\x7d"` }],
  },
  {
    title: 'other delimiters',
    tasks: (command) => [
      debug(
        `#jinja2: variable_start_string: '[[', variable_end_string: ']]'\n[[ ${pipe(command)} ]]{{ '' }}`,
      ),
    ],
  },
  {
    title: 'Python behind cycler',
    tasks: (command) => [debug(system('cycler.__init__.__globals__.os', command))],
  },
  {
    title: 'Python behind an attribute in brackets',
    tasks: (command) => [debug(system("cycler['__init__']['__globals__'].os", command))],
  },
  {
    title: 'Python behind an attribute put together',
    tasks: (command) => [debug(system("lipsum['__glob' ~ 'als__'].os", command))],
  },
  {
    title: 'Python behind an attribute in two texts',
    tasks: (command) => [debug(system("lipsum['__glob' 'als__'].os", command))],
  },
  {
    title: 'Python behind an attribute in escapes',
    tasks: (command) => [debug(`{% if lipsum["\\x5f\\x5fglobals__"].os.system('${command}') %}{% endif %}`)],
  },
  {
    title: 'Python behind the filter attr',
    tasks: (command) => [debug(system("(lipsum | attr('__globals__')).os", command))],
  },
  {
    title: 'Python behind map',
    tasks: (command) => [debug(system("([lipsum] | map(attribute='__globals__') | first).os", command))],
  },
  {
    title: 'Python behind a conversion with a default',
    tasks: (command) => [debug(system("lipsum['x' | int('__globals__')].os", command))],
  },
  { title: 'a lookup of a loop', tasks: (command) => [{ ...debug(''), with_pipe: [command] }] },
  {
    title: 'a lookup of a loop, run for its lines',
    tasks: (command) => [{ ...debug(''), with_lines: [command] }],
  },
  { title: 'delegate_to', tasks: (command) => [{ command, delegate_to: 'localhost' }] },
  { title: 'local_action', tasks: (command) => [{ local_action: `command ${command}` }] },
  { title: 'connection', tasks: (command) => [{ command, connection: 'local' }] },
  {
    title: 'a variable that sets the connection',
    tasks: (command) => [{ command, vars: { ansible_connection: 'local' } }],
  },
  {
    title: 'a fact that sets the connection',
    tasks: (command) => [{ set_fact: { ansible_connection: 'local' } }, { command }],
  },
  {
    title: 'a loop that sets the connection',
    tasks: (command) => [{ command, loop: ['local'], loop_control: { loop_var: 'ansible_connection' } }],
  },
  {
    title: 'a node that is this machine',
    tasks: (command) => [
      { add_host: { name: 'here', ansible_connection: 'local' } },
      { command, delegate_to: 'here' },
    ],
  },
];

/** These are not refused: what a template makes of them must not be evaluated a second time. */
export const secondEvaluations: Injection[] = [
  {
    title: 'a fact',
    tasks: (command) => [{ set_fact: { a: `{{ '{' }}{ ${pipe(command)} }}` } }, debug('{{ a }}')],
  },
  {
    title: 'a fact within a fact',
    tasks: (command) => [
      { set_fact: { a: { b: [`\n{% raw %}{{ ${pipe(command)} }}{% endraw %}`] } } },
      debug('{{ a.b }}'),
    ],
  },
  {
    title: 'an item of a loop',
    tasks: (command) => [{ ...debug('{{ item }}'), loop: [`{{ '{' }}{ ${pipe(command)} }}`] }],
  },
  {
    title: 'a loop that is a template',
    tasks: (command) => [
      { ...debug('{{ item }}'), vars: { a: [`{{ '{' }}{ ${pipe(command)} }}`] }, loop: '{{ a }}' },
    ],
  },
  {
    title: 'a fact made of a variable',
    tasks: (command) => [
      { set_fact: { a: '{{ b }}' }, vars: { b: `{{ '{' }}{ ${pipe(command)} }}` } },
      debug('{{ a }}'),
    ],
  },
  {
    title: 'a fact made of a variable of a block',
    tasks: (command) => [
      { block: [{ set_fact: { a: '{{ b }}' } }], vars: { b: `{{ '{' }}{ ${pipe(command)} }}` } },
      debug('{{ a }}'),
    ],
  },
  {
    title: 'a variable of the environment',
    tasks: (command) => [{ command: 'true', environment: { A: `{{ '{' }}{ ${pipe(command)} }}` } }],
  },
];
