// Amounts of bandwidth and of traffic: rounded to decimals, so that taking and giving back leaves no binary noise.

/** Of the 15 to 17 digits that a number has; the rest is room for sums. */
const keptDigits = 14;
const maxDecimals = 20;

/** How many decimals are kept of amounts of this size and below. */
export function decimalsFor(size: number): number {
  if (size <= 0) return keptDigits;
  return Math.min(Math.max(keptDigits - Math.ceil(Math.log10(size)), 0), maxDecimals);
}

/** The nearest number of so many decimals; whole numbers stay what they are. */
export function roundAmount(amount: number, decimals: number): number {
  // The sum takes away the sign that a zero may have.
  return Number.isInteger(amount) ? amount + 0 : Number(amount.toFixed(decimals)) + 0;
}

/** The product without its binary noise: 0.1 × 3 is 0.3. */
export function scaleAmount(amount: number, factor: number): number {
  const product = amount * factor;
  return roundAmount(product, decimalsFor(product));
}
