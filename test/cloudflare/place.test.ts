import { describe, expect, test } from 'vitest';
import { type Hint, nearest } from '../../src/cloudflare/place.ts';

const all: readonly Hint[] = ['wnam', 'enam', 'sam', 'weur', 'eeur', 'apac', 'oc', 'afr', 'me'];
const cities: readonly (readonly [city: string, latitude: string, longitude: string, region: Hint])[] = [
  ['San Francisco', '37.77', '-122.42', 'wnam'],
  ['New York', '40.71', '-74.01', 'enam'],
  ['São Paulo', '-23.55', '-46.63', 'sam'],
  ['London', '51.51', '-0.13', 'weur'],
  ['Warsaw', '52.23', '21.01', 'eeur'],
  ['Ho Chi Minh City', '10.82', '106.63', 'apac'],
  ['Tokyo', '35.68', '139.69', 'apac'],
  ['Sydney', '-33.87', '151.21', 'oc'],
  ['Nairobi', '-1.29', '36.82', 'afr'],
  ['Dubai', '25.2', '55.27', 'me'],
];

describe('the region of a request', () => {
  test.each(cities)('%s is served by the nearest of all', (_, latitude, longitude, region) => {
    expect(nearest(all, { latitude, longitude })).toBe(region);
  });

  test('it is one of those that are declared, also across the date line', () => {
    expect(nearest(['weur', 'enam'], { latitude: '35', longitude: '139' })).toBe('weur');
    expect(nearest(['wnam', 'apac'], { latitude: '52', longitude: '179' })).toBe('wnam');
    expect(nearest(['weur'], { latitude: '-33', longitude: '151' })).toBe('weur');
  });

  test('without a place it goes by the continent, and without that to the first', () => {
    expect(nearest(['weur', 'oc'], { continent: 'OC' })).toBe('oc');
    for (const from of [undefined, {}, { continent: 'XX' }, { latitude: 'x', longitude: '1' }, { latitude: '', longitude: '' }]) {
      expect(nearest(['weur', 'oc'], from)).toBe('weur');
    }
  });

  test('an app without regions has one', () => {
    expect(nearest([], { continent: 'OC' })).toBe('main');
  });
});
