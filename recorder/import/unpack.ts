/** Files that were packed: gzip, and zstd where this Node has it; for others the command that unpacks them. */

import { pipeline, Readable, type Transform } from "node:stream";
import { ImportError } from "./importer.ts";

export type Packing = "gzip" | "zstd" | "xz" | "bzip2" | "lz4" | "zip";

const MAGIC: readonly (readonly [Packing, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
  ["zip", [0x50, 0x4b, 0x03, 0x04]],
];

/** By a file's first bytes; null for one that is not packed. */
export const packingOf = (start: Uint8Array): Packing | null =>
  MAGIC.find(([, bytes]) => bytes.every((byte, i) => start[i] === byte))?.[0] ?? null;

const COMMANDS: Readonly<Record<Packing, string>> = {
  gzip: "gzip -dc",
  zstd: "zstd -dc",
  xz: "xz -dc",
  bzip2: "bzip2 -dc",
  lz4: "lz4 -dc",
  zip: "unzip -p",
};

/** Most commands never need it: it is loaded when it is asked for. Node has zstd from 22.15 on. */
const zlib = () => process.getBuiltinModule("node:zlib") as Zlib;
type Zlib = typeof import("node:zlib") & { readonly createZstdDecompress?: () => Transform };

/** What is in a packed file, as it is asked for. `name` names the file in errors. Throws ImportError. */
export async function* unpacked(chunks: AsyncIterable<Uint8Array>, packing: Packing, name: string): AsyncGenerator<Uint8Array, void> {
  const unpacker = packing === "gzip" ? zlib().createGunzip() : packing === "zstd" ? zlib().createZstdDecompress?.() : undefined;
  if (unpacker === undefined)
    throw new ImportError(
      `${name}: packed with ${packing}, which this Node.js does not unpack; try: ${COMMANDS[packing]} ${name} | eintr record -`,
    );
  pipeline(Readable.from(chunks, { objectMode: true }), unpacker, () => {});
  try {
    for await (const part of unpacker) yield part as Uint8Array;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!/^(?:Z_|ZSTD_)/.test(code)) throw error;
    throw new ImportError(
      `${name}: its ${packing} data is cut off or broken (${code}); what can still be read: ${COMMANDS[packing]} ${name} | eintr record -`,
    );
  }
}
