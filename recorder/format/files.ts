/** Opening what a user named, and writing the whole of something at a place. */

import fs from "node:fs";

/** Write all of `bytes` at `offset`. */
export function writeAt(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) done += fs.writeSync(fd, bytes, done, bytes.length - done, offset + done);
}

/** What a thing that is no regular file is called. */
const kindOf = (stat: fs.Stats): string => {
  if (stat.isDirectory()) return "a folder";
  if (stat.isFIFO()) return "a pipe";
  if (stat.isSocket()) return "a socket";
  return stat.isCharacterDevice() || stat.isBlockDevice() ? "a device" : "no regular file";
};

/** Write all of `bytes` behind what was written. */
export function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += fs.writeSync(fd, bytes, done, bytes.length - done);
}

/**
 * Descriptor of a regular file, opened for reading; or what it is instead: a pipe would wait for its writer, a device may never end,
 * with Ctrl-C unheard. Throws what node:fs throws.
 */
export function openRegular(path: string): { readonly fd: number } | { readonly is: string } {
  const stat = fs.statSync(path);
  if (!stat.isFile()) return { is: kindOf(stat) };
  // Should it become a pipe between the two calls: not waiting for a writer.
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  const opened = fs.fstatSync(fd);
  if (opened.isFile()) return { fd };
  fs.closeSync(fd);
  return { is: kindOf(opened) };
}

/** Whether something stands at `path` that is no regular file (a link counts as what it leads to). */
export function isIrregular(path: string): boolean {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && !stat.isFile();
}
