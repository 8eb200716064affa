// Where an agent stands, and how callers name places: country, province, city, carrier.
import { z } from 'zod';
import { textSchema } from './text.ts';

/** What stands for "any" in a place that was normalised. */
export const wildcard = '*';

const maxIdLength = 64;

/** An id of a place: int or string, compared as string. `null`, `""`, `0` and `"*"` mean any. */
const placeId = z
  .union([z.int(), textSchema(maxIdLength)], { error: 'expected an id (int or string)' })
  .nullish()
  .transform((id) => {
    const text = String(id ?? '');
    return text === '' || text === '0' ? wildcard : text;
  });

/** A place as a caller selects it; every part may be a wildcard. */
export type PlacePattern = { country: string; province: string; city: string; carrier: string };

/** `[country_id, province_id, city_id, carrier]`; a missing tail is a wildcard. */
export const regionSchema = z
  .array(placeId)
  .max(4, 'expected at most [country, province, city, carrier]')
  .transform(
    ([country = wildcard, province = wildcard, city = wildcard, carrier = wildcard]): PlacePattern => ({
      country,
      province,
      city,
      carrier,
    }),
  );

/** The same place with named parts, as the group and resolver subjects take it. */
export const placePatternShape = { country: placeId, province: placeId, city: placeId, carrier: placeId };

/** The place in replies: strings, wildcards as `*`. */
export const placeReplyShape = {
  country: z.string(),
  province: z.string(),
  city: z.string(),
  carrier: z.string(),
};

/** Does a place lie within the pattern? */
export function matchesPlace(pattern: PlacePattern, place: PlacePattern): boolean {
  return (
    matchesId(pattern.country, place.country) &&
    matchesId(pattern.province, place.province) &&
    matchesId(pattern.city, place.city) &&
    matchesId(pattern.carrier, place.carrier)
  );
}

function matchesId(pattern: string, id: string): boolean {
  return pattern === wildcard || pattern === id;
}
