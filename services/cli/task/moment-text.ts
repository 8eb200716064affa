// Moments as people read them, and as `--from` and `--to` take them: UTC, to the second.

const fraction = /\.\d+(?=Z$)/;

/** Of ISO 8601 text as the contract has it; other text stays as it is. */
export function formatMoment(moment: string): string {
  return moment.replace(fraction, '');
}

/** Seconds that no date can hold stay a number. */
export function formatUnixSeconds(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : formatMoment(date.toISOString());
}

/** How much later the second moment is: `+0.15 s`, from a hundred seconds on whole ones. */
export function formatLag(from: string, to: string): string {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  if (Number.isNaN(seconds)) return '-';
  const text = seconds.toFixed(Math.abs(seconds) < 100 ? 2 : 0);
  return `${seconds < 0 ? '' : '+'}${text} s`;
}
