// The layout is the architecture, and the check of it sees what it has to see.
import { expect, test } from 'vitest';
import { findEnvironmentReaders, findForbiddenImports, readImports } from './helpers/import-directions.ts';

const imports = await readImports();

test('the reader of imports finds what there is to find', () => {
  expect(imports).toContainEqual({ file: 'contracts/probe.ts', target: 'zod' });
  expect(imports).toContainEqual({ file: 'services/gateway/main.ts', target: 'infra/bus/serve.ts' });
});

test('no import goes where it must not, and only main files read the environment', async () => {
  expect([...findForbiddenImports(imports), ...(await findEnvironmentReaders())]).toEqual([]);
});

test.each([
  ['contracts/probe.ts', 'infra/config.ts'],
  ['contracts/probe.ts', 'pg'],
  ['infra/config.ts', 'services/gateway/main.ts'],
  ['infra/config.ts', 'test/helpers/nats.ts'],
  ['infra/config.ts', 'nats'],
  ['services/gateway/main.ts', 'services/agent/main.ts'],
  ['services/gateway/main.ts', 'test/helpers/nats.ts'],
  ['services/gateway/main.ts', 'nats'],
])('%s must not import %s', (file, target) => {
  expect(findForbiddenImports([{ file, target }])).toHaveLength(1);
});
