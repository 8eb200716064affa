import { afterAll, beforeAll, expect, test } from 'vitest';
import { runAgentsCommand } from '../../../../services/cli/agents/run-agents-command.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { startScriptedAgent } from '../../../helpers/scripted-agent.ts';
import { until } from '../../../helpers/test-client.ts';
import { createCommandRunner } from '../run-command-here.ts';
import { startTaskServers, type TaskServers } from '../task/task-servers.ts';

const agents = createCommandRunner(runAgentsCommand);

let servers: TaskServers;

beforeAll(async () => {
  servers = await startTaskServers();
});
afterAll(() => servers?.stop());

test('the agents that are alive are listed by region, or those of one', async () => {
  const { natsUrl, client } = servers;
  const env = { NATS_URL: natsUrl };
  expect(await agents.run(['list'], env)).toEqual({ exitCode: 0, stdout: 'no agents\n', stderr: '' });

  const places = { second: '440000', first: '110000' };
  for (const [id, province] of Object.entries(places)) {
    const place = { province, city: '1', carrier: '电信' };
    const agent = keepUntilTestEnd(await startScriptedAgent({ natsUrl, id, place, groups: [3] }));
    await agent.announce();
  }
  await until(async () => (await client.call('agentGet', {})).length === 2);

  const { stdout } = await agents.run(['list'], env);
  expect(stdout).toMatch(
    /^AGENT .*\nfirst +86,110000,1,电信 +3 .*\nsecond +86,440000,1,电信 +3 .*\n\n2 agents in 2 places\n$/,
  );
  const some = await agents.run(['list', '--region', '86,440000', '--json'], env);
  expect(JSON.parse(some.stdout)).toMatchObject([{ agent_id: 'second' }]);
});
