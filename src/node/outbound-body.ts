/** The content of an answer without its content coding. */
import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { CffbrwError } from '../error.ts';

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
};

/** Decodes as it is read, no further: whoever reads stops where it is too much. Throws HTTP_FAILED for a coding that we did not ask for. */
export function decoded(body: Readable, coding: string | null): Readable {
  const name = (coding ?? '').trim().toLowerCase();
  if (name === '' || name === 'identity') return body;
  const decoder = Object.hasOwn(decoders, name) ? decoders[name]?.() : undefined;
  if (decoder === undefined) {
    body.on('error', ignore).destroy();
    throw new CffbrwError('HTTP_FAILED', 'the answer has a content coding that is not understood', {
      fix: 'Ask for one of gzip, br and deflate.',
    });
  }
  // An error reaches the reader through the decoder.
  return pipeline(body, decoder, ignore);
}

const ignore = (): void => {};
