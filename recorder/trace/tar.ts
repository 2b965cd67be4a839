/** Headers of tar archives, as far as packed traces need them. Source: POSIX.1-1988 "ustar"; GNU tar's manual for sizes from 8 GiB on. */

export const TAR_BLOCK = 512;

/** What a header says; null for a block of zeros, which ends an archive. */
export interface TarEntry {
  readonly name: string;
  readonly size: number;
  readonly type: "file" | "folder" | "other";
}

const AT = { name: 0, mode: 100, uid: 108, gid: 116, size: 124, mtime: 136, checksum: 148, type: 156, magic: 257, prefix: 345 } as const;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const SIZE_DIGITS = 11;
const MOST_OCTAL = 8 ** SIZE_DIGITS;
/** In the first byte of a number that is written in bytes, not digits. */
const BINARY = 0x80;

/** Of a regular file. `name` has at most 100 bytes; `mtime` is in seconds. */
export function tarHeader(name: string, size: number, mtime: number): Buffer {
  const header = Buffer.alloc(TAR_BLOCK);
  const octal = (value: number, at: number, digits: number): void => void header.write(value.toString(8).padStart(digits, "0"), at);
  header.write(name, AT.name);
  octal(0o644, AT.mode, 7);
  octal(0, AT.uid, 7);
  octal(0, AT.gid, 7);
  if (size < MOST_OCTAL) octal(size, AT.size, SIZE_DIGITS);
  else {
    header[AT.size] = BINARY;
    header.writeBigUInt64BE(BigInt(size), AT.size + 4);
  }
  octal(Math.floor(mtime), AT.mtime, SIZE_DIGITS);
  header.write("0", AT.type);
  header.write("ustar\u000000", AT.magic);
  header.write(`${checksumOf(header).toString(8).padStart(6, "0")}\0 `, AT.checksum);
  return header;
}

/** Throws an Error that says what is wrong with it. */
export function readTarHeader(header: Buffer): TarEntry | null {
  if (header.every((byte) => byte === 0)) return null;
  const text = (at: number, most: number): string => {
    const field = header.subarray(at, at + most);
    const end = field.indexOf(0);
    return field.subarray(0, end < 0 ? most : end).toString("utf8");
  };
  if (text(AT.magic, 5) !== "ustar") throw new Error("it is cut off or damaged: no header of a tar archive where one should be");
  if (Number.parseInt(text(AT.checksum, 8), 8) !== checksumOf(header)) throw new Error("the checksum of a header is wrong");
  const prefix = text(AT.prefix, PREFIX_BYTES);
  const name = text(AT.name, NAME_BYTES);
  const flag = text(AT.type, 1);
  return {
    name: prefix === "" || text(AT.magic, 8).startsWith("ustar ") ? name : `${prefix}/${name}`,
    size: sizeIn(header, text(AT.size, 12)),
    type: flag === "0" || flag === "" ? "file" : flag === "5" ? "folder" : "other",
  };
}

function sizeIn(header: Buffer, digits: string): number {
  const size =
    header[AT.size] === BINARY
      ? Number(header.readBigUInt64BE(AT.size + 4))
      : /^[0-7 ]{1,12}$/.test(digits)
        ? Number.parseInt(digits, 8)
        : -1;
  if (!Number.isSafeInteger(size) || size < 0) throw new Error("the size in a header is no number");
  return size;
}

/** As if its own field were blanks. */
function checksumOf(header: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < TAR_BLOCK; i += 1) if (i < AT.checksum || i >= AT.checksum + 8) sum += header[i] as number;
  return sum;
}

/** Bytes that fill the last block of a member. */
export const paddingOf = (size: number): number => (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
