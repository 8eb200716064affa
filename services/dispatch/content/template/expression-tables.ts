// What an expression may use. Templates are evaluated on the machine that runs Ansible, with all of Python at hand.

/** Names that stand for something of Jinja or Ansible, not for data. */
export const refusedNames = new Map([
  ['lookup', 'lookups run on the controller'],
  ['query', 'lookups run on the controller'],
  ['q', 'lookups run on the controller'],
  ['vars', 'vars hands out what was not evaluated yet'],
  ['self', 'self leads into Jinja'],
  ['super', 'super leads into Jinja'],
  ['caller', 'caller leads into Jinja'],
  ['varargs', 'varargs leads into Jinja'],
  ['kwargs', 'kwargs leads into Jinja'],
  ['cycler', 'cycler leads into Jinja'],
  ['joiner', 'joiner leads into Jinja'],
  ['lipsum', 'lipsum leads into Jinja'],
  ['namespace', 'namespace leads into Jinja'],
  ['undef', 'undef leads into Jinja'],
]);

/** Functions without a side, and only to be called: as values they would lead into Python. */
export const functions = new Set(['range', 'dict', 'now']);

/** Methods of texts, lists, mappings and times that return data and change nothing. */
export const methods = new Set([
  ...['capitalize', 'casefold', 'center', 'count', 'endswith', 'expandtabs', 'find', 'index', 'isalnum'],
  ...['isalpha', 'isdecimal', 'isdigit', 'islower', 'isnumeric', 'isspace', 'isupper', 'join', 'ljust'],
  ...['lower', 'lstrip', 'partition', 'removeprefix', 'removesuffix', 'replace', 'rfind', 'rjust'],
  ...['rpartition', 'rsplit', 'rstrip', 'split', 'splitlines', 'startswith', 'strip', 'swapcase', 'title'],
  ...['upper', 'zfill', 'get', 'items', 'keys', 'values'],
  ...['date', 'isoformat', 'strftime', 'timestamp', 'total_seconds'],
]);

/** Attributes that lead out of data without an underscore (jinja2/sandbox.py has the same lists). */
export const refusedAttributes = new Set([
  ...[
    'format',
    'format_map',
    'mro',
    'func_closure',
    'func_code',
    'func_dict',
    'func_defaults',
    'func_globals',
  ],
  ...['im_class', 'im_func', 'im_self', 'gi_frame', 'gi_code', 'gi_yieldfrom', 'cr_frame', 'cr_code'],
  ...['cr_await', 'cr_origin', 'ag_frame', 'ag_code', 'ag_await', 'tb_frame', 'tb_next'],
  ...['f_back', 'f_builtins', 'f_code', 'f_globals', 'f_locals'],
]);

/**
 * `plain`: looks at its data only. `attribute`: may follow a path given as text, so that has to be written out.
 * `map`, `select` and `selectattr` apply what they name, so that has to be written out, too.
 */
export type FilterRule = 'plain' | 'attribute' | 'join' | 'map' | 'select' | 'selectattr';

const plainFilters = [
  ...['abs', 'batch', 'capitalize', 'center', 'count', 'd', 'default', 'dictsort', 'e', 'escape'],
  ...[
    'filesizeformat',
    'first',
    'float',
    'forceescape',
    'format',
    'indent',
    'int',
    'items',
    'last',
    'length',
  ],
  ...['list', 'lower', 'pprint', 'random', 'replace', 'reverse', 'round', 'safe', 'slice', 'string'],
  ...['striptags', 'title', 'tojson', 'trim', 'truncate', 'upper', 'urlencode', 'wordcount', 'wordwrap'],
  ...['b64decode', 'b64encode', 'basename', 'bool', 'checksum', 'combinations', 'combine', 'comment'],
  ...['dict2items', 'difference', 'dirname', 'flatten', 'from_json', 'from_yaml', 'from_yaml_all', 'hash'],
  ...['human_readable', 'human_to_bytes', 'intersect', 'items2dict', 'log', 'mandatory', 'md5'],
  ...['password_hash', 'path_join', 'permutations', 'pow', 'product', 'quote', 'regex_escape'],
  ...[
    'regex_findall',
    'regex_replace',
    'regex_search',
    'rekey_on_member',
    'root',
    'sha1',
    'shuffle',
    'split',
  ],
  ...['splitext', 'strftime', 'subelements', 'symmetric_difference', 'ternary', 'to_datetime', 'to_json'],
  ...['to_nice_json', 'to_nice_yaml', 'to_uuid', 'to_yaml', 'type_debug', 'union', 'urldecode', 'urlsplit'],
  ...['win_basename', 'win_dirname', 'win_splitdrive', 'zip', 'zip_longest'],
];
const attributeFilters = ['groupby', 'max', 'min', 'sort', 'sum', 'unique'];

export const filters: ReadonlyMap<string, FilterRule> = new Map<string, FilterRule>([
  ...plainFilters.map((name): [string, FilterRule] => [name, 'plain']),
  ...attributeFilters.map((name): [string, FilterRule] => [name, 'attribute']),
  ['join', 'join'],
  ['map', 'map'],
  ['select', 'select'],
  ['reject', 'select'],
  ['selectattr', 'selectattr'],
  ['rejectattr', 'selectattr'],
]);

export const refusedFilters = new Map([
  ['attr', 'reads attributes of Python'],
  ['extract', 'reads attributes of Python; use .get(…)'],
  ['expanduser', 'looks at the controller'],
  ['expandvars', 'reads the environment of the controller'],
  ['fileglob', 'lists files of the controller'],
  ['realpath', 'looks at files of the controller'],
  ['relpath', 'looks at the controller'],
  ['unvault', 'uses vaults of the controller'],
  ['vault', 'uses vaults of the controller'],
  ['urlize', 'is not needed here'],
  ['xmlattr', 'is not needed here'],
]);

/** Tests that look at their data only. */
export const tests = new Set([
  ...['boolean', 'defined', 'divisibleby', 'eq', 'equalto', 'even', 'false', 'float', 'ge', 'greaterthan'],
  ...['gt', 'in', 'integer', 'iterable', 'le', 'lessthan', 'lower', 'lt', 'mapping', 'ne', 'none', 'number'],
  ...['odd', 'sameas', 'sequence', 'string', 'true', 'undefined', 'upper'],
  ...['all', 'any', 'change', 'changed', 'contains', 'failed', 'failure', 'falsy', 'finished', 'isnan'],
  ...['issubset', 'issuperset', 'match', 'nan', 'reachable', 'regex', 'search', 'skip', 'skipped', 'started'],
  ...['subset', 'succeeded', 'success', 'successful', 'superset', 'truthy', 'unreachable', 'uri', 'url'],
  ...['urn', 'version', 'version_compare'],
]);

/** Tests of files, which Ansible makes on the controller. */
export const refusedTests = new Set([
  ...['abs', 'is_abs', 'directory', 'is_dir', 'exists', 'file', 'is_file', 'link', 'is_link', 'link_exists'],
  ...['mount', 'is_mount', 'same_file', 'is_same_file'],
]);
