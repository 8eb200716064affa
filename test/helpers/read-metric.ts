// What a service says of itself on /metrics; for tests and benches alike.

/** Value of one Prometheus sample of a service; 0 where it was never counted. `labels` as they are printed. */
export async function readMetric(metricsUrl: string, name: string, labels = ''): Promise<number> {
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  const sample = labels === '' ? `${name} ` : `${name}{${labels}} `;
  const line = text.split('\n').find((candidate) => candidate.startsWith(sample));
  return line === undefined ? 0 : Number(line.slice(sample.length));
}
