// A curve as an SVG that reads the same on a light and on a dark page. Pure: points in, text out.
import type { Curve } from './bench.ts';
import { formatNumber } from './render-figures.ts';

const width = 720;
const left = 80;
const right = 24;
const top = 64;
const axisAt = 344;
const legendAt = 408;
const legendStep = 20;
const tickCount = 5;
const colours = ['#2f6fb5', '#c8662a', '#3c8d5a', '#8a5ab0', '#a8323e', '#7a7a7a'];

/** Both axes start at zero. */
export function drawCurve({ title, x, y, lines }: Curve): string {
  const points = lines.flatMap((line) => line.points);
  const xTop = roundUp(Math.max(...points.map((point) => point.x)));
  const yTop = roundUp(Math.max(...points.map((point) => point.y)));
  const placeX = (value: number) => left + (value / xTop) * (width - left - right);
  const placeY = (value: number) => axisAt - (value / yTop) * (axisAt - top);
  const text = (at: [number, number], words: string, more = '') =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}"${more}>${escapeText(words)}</text>`;
  const height = legendAt + lines.length * legendStep;
  const ticks = Array.from({ length: tickCount + 1 }, (_, index) => index / tickCount);
  const xValues = [...new Set(points.map((point) => point.x))];

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text([left, 26], title, ' font-size="15" font-weight="bold"'),
    ...ticks.flatMap((share) => {
      const at = placeY(share * yTop);
      return [
        `<path d="M${left} ${at.toFixed(1)}H${width - right}" stroke="#d8d8d8"/>`,
        text([left - 8, at + 4], formatNumber(share * yTop), ' text-anchor="end"'),
      ];
    }),
    ...xValues.map((value) =>
      text([placeX(value), axisAt + 18], formatNumber(value), ' text-anchor="middle"'),
    ),
    text([(left + width - right) / 2, axisAt + 38], x, ' text-anchor="middle"'),
    text([14, top - 18], y),
    ...lines.flatMap(({ name, points: own }, index) => {
      const colour = colours[index % colours.length];
      const places = own.map((point) => `${placeX(point.x).toFixed(1)},${placeY(point.y).toFixed(1)}`);
      const labelY = legendAt + index * legendStep;
      return [
        `<polyline points="${places.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...places.map((place) => {
          const [cx, cy] = place.split(',');
          return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
        }),
        `<rect x="${left}" y="${labelY - 9}" width="10" height="10" fill="${colour}"/>`,
        text([left + 16, labelY], name),
      ];
    }),
    '</svg>',
    '',
  ].join('\n');
}

/** The next number with few digits that is no less than a value, so that the axis is parted into round ones. */
function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((each) => each * power >= value) ?? 10;
  return step * power;
}

function escapeText(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
