/** Which region serves a request: the nearest of those that the app declares. */

export type Hint = 'wnam' | 'enam' | 'sam' | 'weur' | 'eeur' | 'apac' | 'oc' | 'afr' | 'me';

/** Where an app without regions has its only one: where it is first asked for. */
export const onlyRegion = 'main';

/** What Cloudflare says of where a request came in. */
export interface Whereabouts {
  readonly continent?: unknown;
  readonly latitude?: unknown;
  readonly longitude?: unknown;
}

type Place = readonly [latitude: number, longitude: number];

/** About the middle of what each hint means. */
const places: Readonly<Record<Hint, Place>> = {
  wnam: [40, -118],
  enam: [40, -77],
  sam: [-18, -52],
  weur: [49, 4],
  eeur: [50, 24],
  apac: [18, 110],
  oc: [-30, 148],
  afr: [-8, 25],
  me: [26, 48],
};

/** For a request of which only the continent is known. */
const continents: Readonly<Record<string, Place>> = {
  NA: [40, -95],
  SA: places.sam,
  EU: [50, 12],
  AS: [22, 100],
  OC: places.oc,
  AF: places.afr,
  AN: [-75, 0],
};

export const isHint = (region: string): region is Hint => Object.hasOwn(places, region);

/** `regions` as declared: hints; none: one region, placed by the platform. */
export function nearest(regions: readonly string[], from: Whereabouts | undefined): string {
  const [first = onlyRegion] = regions;
  const place = placeOf(from);
  if (regions.length < 2 || place === null) return first;
  let best = first;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const region of regions) {
    const distance = isHint(region) ? angle(place, places[region]) : Number.POSITIVE_INFINITY;
    if (distance < bestDistance) [best, bestDistance] = [region, distance];
  }
  return best;
}

function placeOf(from: Whereabouts | undefined): Place | null {
  const [latitude, longitude] = [numberIn(from?.latitude), numberIn(from?.longitude)];
  if (latitude !== null && longitude !== null) return [latitude, longitude];
  return typeof from?.continent === 'string' ? (continents[from.continent] ?? null) : null;
}

function numberIn(value: unknown): number | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const number = Number(value);
  return value === '' || Number.isNaN(number) ? null : number;
}

/** Between two places on the globe, as its haversine, which grows with the distance. */
function angle([latitudeA, longitudeA]: Place, [latitudeB, longitudeB]: Place): number {
  const radians = Math.PI / 180;
  const half = (degrees: number) => Math.sin((degrees * radians) / 2) ** 2;
  const [a, b] = [latitudeA * radians, latitudeB * radians];
  return half(latitudeB - latitudeA) + Math.cos(a) * Math.cos(b) * half(longitudeB - longitudeA);
}
