/** The program of the reference page: a copy of OpenAPI Explorer comes with this package. */
import { readFile } from 'node:fs/promises';

/** Seen from here, from an entry point or a chunk of the library, and from a chunk of the command. */
const places = ['../node/vendor/', '../../node/vendor/'];

export async function readReferenceScript(): Promise<string> {
  const files = places.map((place) => new URL(`${place}openapi-explorer.min.js`, import.meta.url));
  return Promise.any(files.map((file) => readFile(file, 'utf8')));
}
