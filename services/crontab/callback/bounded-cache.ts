// Results that are asked for again and again.

/** `compute`, which has to be pure, with its results for the last `limit` keys kept. What it throws is not kept. */
export function keepResults<Value>(limit: number, compute: (key: string) => Value): (key: string) => Value {
  const kept = new Map<string, Value>();
  return (key) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const value = compute(key);
    if (kept.size >= limit) for (const oldest of kept.keys()) if (kept.delete(oldest)) break;
    kept.set(key, value);
    return value;
  };
}
