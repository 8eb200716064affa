// One line on a terminal that says how long a wait has lasted, rewritten in place and gone at the end.

const intervalMs = 100;
const clearLine = '\r\u001b[K';

export type ProgressLine = {
  /** Shows `label … 1.2 s of 3 s`, or without a limit `label … 1.2 s`, until `stop`. */
  start(label: string, limitS?: number): void;
  /** Takes the line away until it is drawn again: what else is written then stands alone. */
  clear(): void;
  /** Takes the line away for good; safe to call at any time. */
  stop(): void;
};

/** Writes nothing unless the stream is a terminal that can rewrite a line. */
export function createProgressLine(
  stream: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>,
  env: NodeJS.ProcessEnv,
): ProgressLine {
  const isShown = stream.isTTY && env.TERM !== 'dumb';
  let timer: NodeJS.Timeout | undefined;

  function clear(): void {
    if (timer !== undefined) stream.write(clearLine);
  }

  function stop(): void {
    clear();
    clearInterval(timer);
    timer = undefined;
  }

  return {
    start(label, limitS) {
      stop();
      if (!isShown) return;
      const startedAt = performance.now();
      const limit = limitS === undefined ? '' : ` of ${limitS} s`;
      const draw = (): void => {
        const elapsedS = ((performance.now() - startedAt) / 1000).toFixed(1);
        stream.write(`${clearLine}${label} … ${elapsedS} s${limit}`);
      };
      draw();
      timer = setInterval(draw, intervalMs);
    },
    clear,
    stop,
  };
}
