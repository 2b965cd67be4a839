/** Builds and runs `sqlite-ceiling.c` on the SQLite source that better-sqlite3 brings, with its own settings. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { BLOCK_ROWS, type Block, COLUMN_NAMES, COLUMNS } from "../../engine/block.ts";
import { packageRoot } from "../../tui/package-root.ts";

const COMPILERS = ["cc", "gcc", "clang"];

export type Ceiling = { readonly run: (rows: string, database: string) => number } | { readonly missing: string };

/** The program, built where it is not built yet; or why there is none. */
export function sqliteCeiling(say: (words: string) => void): Ceiling {
  const sources = path.join(packageRoot(), "node_modules/better-sqlite3/deps");
  const amalgamation = path.join(sources, "sqlite3/sqlite3.c");
  if (!existsSync(amalgamation)) return { missing: "better-sqlite3 was installed without SQLite's source" };
  const compiler = COMPILERS.find((name) => spawnSync(name, ["--version"]).status === 0);
  if (compiler === undefined) return { missing: `there is no C compiler (looked for ${COMPILERS.join(", ")})` };
  const source = path.join(packageRoot(), "test/bench/sqlite-ceiling.c");
  const built = path.join(packageRoot(), "node_modules/.cache/eintr-bench/sqlite-ceiling");
  const newest = Math.max(...[amalgamation, source].map((file) => statSync(file).mtimeMs));
  if (!existsSync(built) || statSync(built).mtimeMs < newest) {
    say(`building the C program of test/bench with ${compiler} (a minute, once)`);
    const failed = build(compiler, path.join(sources, "defines.gypi"), [source, amalgamation], built);
    if (failed !== null) return { missing: `the C program of test/bench does not compile: ${failed}` };
  }
  return { run: (rows, database) => runCeiling(built, rows, database) };
}

/** Null, or the compiler's complaint. */
function build(compiler: string, settings: string, sources: readonly string[], built: string): string | null {
  mkdirSync(path.dirname(built), { recursive: true });
  const defines = [...readFileSync(settings, "utf8").matchAll(/^\s*'(\w+(?:=[^']*)?)',$/gm)].map(([, define]) => `-D${define}`);
  const made = `${built}.${process.pid}`;
  const include = `-I${path.dirname(sources[1] ?? "")}`;
  const { status, stderr, error } = spawnSync(
    compiler,
    ["-O3", "-w", include, ...defines, "-o", made, ...sources, "-lm", "-lpthread", "-ldl"],
    { encoding: "utf8" },
  );
  if (status !== 0) {
    rmSync(made, { force: true });
    return (error?.message ?? stderr).split("\n")[0] ?? "";
  }
  renameSync(made, built);
  return null;
}

const LETTERS = new Map<unknown, string>([
  [Uint8Array, "B"],
  [Uint16Array, "H"],
  [Uint32Array, "I"],
  [Int8Array, "b"],
  [Int16Array, "h"],
  [Int32Array, "i"],
  [Float64Array, "d"],
]);

/** Milliseconds for all rows of the file. */
function runCeiling(program: string, rows: string, database: string): number {
  const types = COLUMN_NAMES.map((name) => LETTERS.get(COLUMNS[name]) ?? "?").join("");
  const create = `CREATE TABLE t(seq INTEGER PRIMARY KEY, ${COLUMN_NAMES.map((name) => `${name} INTEGER NOT NULL`).join(", ")})`;
  const insert = `INSERT INTO t VALUES (${["?", ...COLUMN_NAMES.map(() => "?")].join(", ")})`;
  const { status, stdout, stderr } = spawnSync(program, [rows, database, types, create, insert], { encoding: "utf8" });
  rmSync(database, { force: true });
  if (status !== 0) throw new Error(`the C program of test/bench failed: ${stderr}`);
  return Number(stdout);
}

/** A block in the form that the C program reads. */
export function blockBytes(block: Block): Uint8Array[] {
  if (block.n > BLOCK_ROWS) throw new RangeError(`a block of ${block.n} rows`);
  const parts: Uint8Array[] = [new Uint8Array(Float64Array.of(0).buffer)];
  new DataView(parts[0]?.buffer ?? new ArrayBuffer(8)).setBigInt64(0, BigInt(block.n), true);
  for (const name of COLUMN_NAMES) {
    const values = block[name];
    const used = new Uint8Array(values.buffer, values.byteOffset, block.n * values.BYTES_PER_ELEMENT);
    parts.push(used, new Uint8Array(-used.length & 7));
  }
  return parts;
}
