// Reads compose.yaml.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { deployFolder } from './deployed-nats.ts';

const variablesSchema = z.record(z.string(), z.string());

const serviceSchema = z.object({
  image: z.string(),
  build: z.object({ args: variablesSchema.default({}) }).optional(),
  command: z.array(z.string()).optional(),
  environment: variablesSchema,
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  cap_drop: z.array(z.string()).default([]),
  read_only: z.string().optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  stop_grace_period: z.string().optional(),
  healthcheck: z.record(z.string(), z.unknown()).optional(),
  deploy: z.object({ replicas: z.string() }).optional(),
});
export type ComposeService = z.infer<typeof serviceSchema>;

const composeSchema = z.object({
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.unknown()),
});

/** The services by name and the volumes, anchors resolved; scalars are texts, variables of the environment as they stand there. */
export async function readCompose(): Promise<{
  services: Record<string, ComposeService>;
  volumes: string[];
}> {
  const text = await readFile(join(deployFolder, 'compose.yaml'), 'utf8');
  const document: unknown = parse(text, { schema: 'failsafe', merge: true });
  const { services, volumes } = composeSchema.parse(document);
  return { services, volumes: Object.keys(volumes) };
}
