// Reads compose.yaml.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { deployFolder } from './deployed-nats.ts';

const variablesSchema = z.record(z.string(), z.string());

const serviceSchema = z.object({
  image: z.string(),
  command: z.array(z.string()).optional(),
  environment: variablesSchema,
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  stop_grace_period: z.string().optional(),
  healthcheck: z.record(z.string(), z.unknown()).optional(),
  deploy: z.object({ replicas: z.string() }).optional(),
});
export type ComposeService = z.infer<typeof serviceSchema>;

/** The services by name, anchors resolved; scalars are texts, variables of the environment as they stand there. */
export async function readCompose(): Promise<Record<string, ComposeService>> {
  const text = await readFile(join(deployFolder, 'compose.yaml'), 'utf8');
  const document: unknown = parse(text, { schema: 'failsafe', merge: true });
  return z.object({ services: z.record(z.string(), serviceSchema) }).parse(document).services;
}
