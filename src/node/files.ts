/** Reads the files of an app's `static` folder. Never leaves the folder, through whatever link. */
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { extname, sep } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadStatic } from '../http/http.ts';

/** Files up to this size are read whole; larger ones are streamed. */
const wholeBytes = 1_048_576;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.xml': 'application/xml',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.ico': 'image/x-icon',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
  '.wasm': 'application/wasm',
  '.pdf': 'application/pdf',
};

const absent = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'ENAMETOOLONG', 'EISDIR', 'EINVAL']);
const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && absent.has(error.code);

/** Rejects when the folder itself is not there. */
export async function createStaticReader(folder: string): Promise<ReadStatic> {
  const root = await realpath(folder);
  const inside = root.endsWith(sep) ? root : root + sep;
  return async (path) => {
    try {
      const real = await realpath(inside + path);
      if (!real.startsWith(inside)) return null;
      return await readOpen(await open(real, 'r'), real);
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  };
}

/** Closes the handle, or leaves that to the stream. */
async function readOpen(handle: FileHandle, path: string): ReturnType<ReadStatic> {
  let streamed = false;
  try {
    const status = await handle.stat();
    if (!status.isFile()) return null;
    const { size, mtimeMs } = status;
    const type = types[extname(path).toLowerCase()] ?? 'application/octet-stream';
    const etag = `W/"${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}"`;
    if (size <= wholeBytes) return { body: new Uint8Array(await handle.readFile()), type, etag };
    streamed = true;
    return { body: Readable.toWeb(handle.createReadStream()) as ReadableStream<Uint8Array>, type, etag };
  } finally {
    if (!streamed) await handle.close();
  }
}
