/** A trace as one file: there and back, by any tar, and what files of strangers cannot do. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { isPacked, openTrace, packTrace, record, TraceError } from "../../recorder/index.ts";
import { readTarHeader, tarHeader } from "../../recorder/trace/tar.ts";
import { eintr } from "../support/command-line.ts";
import { syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
let dir: string;
let packed: string;

/** Of this file alone: others unpack, too. */
const temporary = fresh("temporary");

beforeAll(async () => {
  mkdirSync(temporary);
  vi.stubEnv("TMPDIR", temporary);
  dir = fresh("some.trace");
  await record(syntheticSource({ rows: 40_000 }), dir, testInfo());
  packed = fresh("some.trace.tgz");
  const pieces: Uint8Array[] = [];
  expect(await packTrace(dir, async (piece) => void pieces.push(piece))).toBe(true);
  writeFileSync(packed, Buffer.concat(pieces));
});

const unpackedFolders = (): string[] => readdirSync(temporary).filter((name) => name.startsWith("eintr-unpacked-"));

test("opens as the trace it was made of, and leaves nothing behind", async () => {
  const before = unpackedFolders();
  const whole = await openTrace(dir);
  const again = await openTrace(packed);
  expect(isPacked(packed)).toBe(true);
  expect(again.dir).toBe(packed);
  expect(again.transitions.end).toEqual(whole.transitions.end);
  expect(again.info).toEqual(whole.info);
  const everything = "SELECT * FROM transitions ORDER BY seq";
  expect(again.ask(everything)).toEqual(whole.ask(everything));
  expect(unpackedFolders().length).toBe(before.length + 1);
  again.close();
  whole.close();
  expect(unpackedFolders()).toEqual(before);
});

test("any tar unpacks it to the folder, and what any tar packed is opened, with or without the database", async () => {
  const place = fresh("place");
  mkdirSync(place);
  execFileSync("tar", ["xzf", packed, "-C", place]);
  const [name = ""] = readdirSync(place);
  expect(name).toMatch(/some\.trace$/);
  const file = "transitions.arrow";
  expect(readFileSync(path.join(place, name, file))).toEqual(readFileSync(path.join(dir, file)));
  const byHand = fresh("by-hand.tgz");
  execFileSync("tar", ["czf", byHand, "-C", path.dirname(dir), path.basename(dir)]);
  const trace = await openTrace(byHand);
  expect(trace.transitions.rows).toBe(40_000);
  trace.close();
});

test("stops when it is told to", async () => {
  const stop = new AbortController();
  stop.abort();
  expect(await packTrace(dir, async () => {}, { signal: stop.signal })).toBe(false);
  const before = unpackedFolders();
  expect(await openTrace(packed, { signal: stop.signal })).toBeNull();
  expect(unpackedFolders()).toEqual(before);
});

test("a sink that fails fails it", async () => {
  const full = packTrace(dir, async () => {
    throw new Error("no space");
  });
  await expect(full).rejects.toThrow("no space");
});

test("sizes from 8 GiB on are written and read", () => {
  for (const size of [0, 511, 8 ** 11 - 1, 8 ** 11, 2 ** 40])
    expect(readTarHeader(tarHeader("a/b", size, 0))).toEqual({ name: "a/b", size, type: "file" });
});

describe("what a stranger packed", () => {
  const END = Buffer.alloc(1024);
  const rows = () => readFileSync(path.join(dir, "transitions.arrow"));
  const member = (name: string, bytes: Buffer): Buffer[] => [
    tarHeader(name, bytes.length, 0),
    bytes,
    Buffer.alloc((512 - (bytes.length % 512)) % 512),
  ];
  const archive = (...parts: Buffer[]): string => {
    const file = fresh("stranger.tgz");
    writeFileSync(file, gzipSync(Buffer.concat(parts)));
    return file;
  };
  async function refused(file: string): Promise<string> {
    const before = unpackedFolders();
    const error = await openTrace(file).then(
      (trace) => {
        trace.close();
        return null;
      },
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(TraceError);
    expect(unpackedFolders()).toEqual(before);
    return (error as TraceError).message;
  }

  test("names no place outside: only the rows are written, wherever their name leads", async () => {
    const target = fresh("outside");
    const file = archive(...member(`../../..${target}/transitions.arrow`, rows()), END);
    const trace = await openTrace(file);
    expect(trace.transitions.rows).toBe(40_000);
    trace.close();
    expect(existsSync(target)).toBe(false);
  });

  test("has links in it", async () => {
    const place = fresh("links");
    mkdirSync(place);
    symlinkSync("/etc/passwd", path.join(place, "transitions.arrow"));
    const file = fresh("links.tgz");
    execFileSync("tar", ["czf", file, "-C", place, "transitions.arrow"]);
    expect(await refused(file)).toContain("is neither a file nor a folder");
  });

  test.each<[string, () => Buffer[], string]>([
    [
      "the rows twice",
      () => [...member("a/transitions.arrow", rows()), ...member("b/transitions.arrow", rows()), END],
      "two files transitions.arrow",
    ],
    ["no rows", () => [...member("a/readme", Buffer.from("hello")), END], "there is no transitions.arrow in it"],
    ["a size that no disk has", () => [tarHeader("a/transitions.arrow", 2 ** 50, 0), END], `has ${2 ** 50} bytes; at most`],
    ["no end", () => [...member("a/transitions.arrow", rows())], "it ends too early"],
    [
      "very many members",
      () => [...Array.from({ length: 20 }, (_, i) => member(`a/${i}`, Buffer.from("x"))).flat(), END],
      "more than 16 members",
    ],
    [
      "something else where a header should be",
      () => [...member("a/x", Buffer.from("x")), Buffer.alloc(512, 7), END],
      "no header of a tar archive where one should be",
    ],
    ["rows that are none", () => [...member("a/transitions.arrow", Buffer.from("no arrow")), END], "this is not an Arrow file"],
  ])("has %s", async (_, parts, message) => {
    expect(await refused(archive(...parts()))).toContain(message);
  });

  test("is cut off or damaged", async () => {
    const whole = readFileSync(packed);
    const cut = fresh("cut.tgz");
    writeFileSync(cut, whole.subarray(0, whole.length >> 1));
    expect(await refused(cut)).toContain("it is cut off or damaged");
    const damaged = fresh("damaged.tgz");
    writeFileSync(damaged, Buffer.concat([whole.subarray(0, 5000), Buffer.alloc(100, 0xff), whole.subarray(5100)]));
    expect(await refused(damaged)).toContain("it is cut off or damaged");
  });

  test("is packed, but no archive: it is what other commands make of it", () => {
    const log = fresh("log.gz");
    writeFileSync(log, gzipSync("1 read(0, ...) = 0\n".repeat(1000)));
    expect(isPacked(log)).toBe(false);
    writeFileSync(log, gunzipSync(readFileSync(packed)));
    expect(isPacked(log)).toBe(false);
    expect(isPacked(dir)).toBe(false);
    expect(isPacked(fresh("missing"))).toBe(false);
  });
});

describe("eintr pack", () => {
  test("makes a file that the commands take like the folder", async () => {
    const folder = fresh("lost.trace");
    await eintr(["record", "lost-interrupted-error", "--stack", "graphene-sgx", "-o", folder]);
    const { code, talk } = await eintr(["pack", folder]);
    const file = `${folder}.tgz`;
    expect([code, talk]).toEqual([0, expect.stringMatching(/lost\.trace\.tgz: \d+ transitions in 0\.\d+ MB\n$/)]);
    const both = async (...args: string[]): Promise<[string, string]> => {
      const [command = "", ...more] = args;
      const [one, other] = [await eintr([command, folder, ...more]), await eintr([command, file, ...more])];
      expect(other.code, other.talk).toBe(one.code);
      return [one.out.replaceAll(folder, "TRACE"), other.out.replaceAll(file, "TRACE")];
    };
    for (const args of [
      ["analyze"],
      ["show", "--finding", "1"],
      ["diff"],
      ["query", "SELECT * FROM signals"],
      ["export", "--format", "csv"],
      ["export", "--format", "markdown"],
      ["rerun"],
    ]) {
      const [one, other] = await both(...args);
      expect(other, args.join(" ")).toBe(one);
    }
    const across = await eintr(["diff", folder, file]);
    expect([across.code, across.out]).toEqual([0, expect.stringContaining("the application sees the same")]);
  });

  test("packs only traces, once, and not over a file", async () => {
    const nothing = await eintr(["pack", fresh("nothing")]);
    expect(nothing.code).toBe(2);
    const twice = await eintr(["pack", packed]);
    expect([twice.code, twice.talk]).toEqual([2, expect.stringContaining("is packed already")]);
    const over = await eintr(["pack", dir, "-o", packed]);
    expect([over.code, over.talk]).toEqual([2, expect.stringContaining("--force replaces it")]);
  });
});
