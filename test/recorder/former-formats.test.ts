/** Traces that former versions recorded: they open, can be asked and analyzed, and run again or say why not. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { analyze } from "../../analyzer/catalogue.ts";
import { notYetIn } from "../../recorder/format/columns.ts";
import { createDigest, openTrace, type Trace } from "../../recorder/index.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const FOLDER = path.resolve(import.meta.dirname, "../fixtures/traces");

interface Former {
  readonly file: string;
  readonly format: number;
  /** Whether its database came with it, of a former schema. */
  readonly database: boolean;
  readonly rows: number;
  readonly digest: string;
  readonly reason: string;
  /** Rule, first and last transition. */
  readonly findings: readonly (readonly [string, number, number])[];
  readonly calls: number;
  readonly signals: number;
  readonly decisions: number;
  /** Of the columns value, cssa, preempt, pending and depth. */
  readonly sums: readonly (number | null)[];
  /** Columns that are NULL. */
  readonly absent?: readonly string[];
  /** It has no machine, and cannot be run again. */
  readonly imported?: boolean;
}

const FORMER: readonly Former[] = [
  {
    file: "format-3/lost-interrupted-error-graphene-sgx",
    format: 3,
    database: false,
    rows: 764,
    digest: "8c55072f58d2ec74264eb6fee15ded36cf2c939bde1db91f580c05fc1bc06ad0",
    reason: "finished",
    findings: [["sgx-interrupted-code-lost", 296, 413]],
    calls: 3,
    signals: 1,
    decisions: 0,
    sums: [8589938068, 0, 556, 0, 6589],
  },
  {
    file: "format-3/lost-interrupted-error-native-linux",
    format: 3,
    database: true,
    rows: 28,
    digest: "bcb382ed478cf54c06c0d267f012afffa6b1ea42e40d2c5cd5442ce0096ca663",
    reason: "finished",
    findings: [],
    calls: 3,
    signals: 1,
    decisions: 0,
    sums: [1502, 0, 0, 0, 103],
  },
  {
    file: "format-3/server-seeded-graphene-linux",
    format: 3,
    database: false,
    rows: 300,
    digest: "b3e06f13b5e63fc4674f842fc854645f4c724b90fd4e62b1a55b7397ae7369b6",
    reason: "row-limit",
    findings: [],
    calls: 2,
    signals: 0,
    decisions: 9,
    sums: [4294967902, 0, 269, 0, 1438],
  },
  {
    file: "format-4/lost-interrupted-error-graphene-linux",
    format: 4,
    database: false,
    rows: 613,
    digest: "93734e4cfd3a27c176adaa0e1c7f9330f38cd3b7f7bcea1bf34cf8eab751b7c2",
    reason: "finished",
    findings: [],
    calls: 3,
    signals: 1,
    decisions: 0,
    sums: [4294971138, null, 492, 9, 4081],
    absent: ["cssa"],
  },
  {
    file: "format-4/imported-toy",
    format: 4,
    database: false,
    rows: 5,
    digest: "9684153db4e8c3202d61d667a450ade8b9f8127f50c6318fadb0fb07be799f4e",
    reason: "finished",
    findings: [],
    calls: 2,
    signals: 1,
    decisions: 0,
    sums: [3, null, null, null, null],
    absent: ["depth", "cssa", "preempt", "pending"],
    imported: true,
  },
];

const unpacked = (file: string): Buffer => brotliDecompressSync(readFileSync(path.join(FOLDER, `${file}.br`)));

function folderOf({ file, database }: Former): string {
  const dir = fresh("former.trace");
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, "transitions.arrow"), unpacked(`${file}.arrow`));
  if (database) writeFileSync(path.join(dir, "trace.db"), unpacked(`${file}.db`));
  return dir;
}

function digestOf(trace: Trace): string {
  const digest = createDigest(trace.transitions.format);
  for (const block of trace.rows()) digest.put(block);
  return digest.finish(trace.texts, trace.threads);
}

test.each(FORMER)("$file opens and holds what was recorded", async (former) => {
  const dir = folderOf(former);
  let rebuilt = "";
  const trace = await openTrace(dir, { onRebuild: (why) => (rebuilt = why) });
  expect(rebuilt).toBe(former.database ? "the database has another form" : "there is no database yet");
  expect(trace.absent).toEqual([...(former.absent ?? []), ...notYetIn(former.format)]);
  expect([trace.transitions.rows, trace.complete, trace.transitions.lostBytes]).toEqual([former.rows, true, 0]);
  expect(trace.transitions.end?.reason).toBe(former.reason);
  expect(trace.transitions.end?.digest).toBe(former.digest);
  expect(digestOf(trace)).toBe(former.digest);
  expect(trace.decisions).toHaveLength(former.decisions);
  expect(trace.keyframeSeq(former.rows - 1)).toBe(former.imported === true ? -1 : former.rows - 1);
  const ask = (sql: string) => trace.ask(sql)[0];
  expect(ask("SELECT count(*), sum(value), sum(cssa), sum(preempt), sum(pending), sum(depth) FROM transitions")).toEqual([
    former.rows,
    ...former.sums,
  ]);
  expect(ask("SELECT (SELECT count(*) FROM syscalls), (SELECT count(*) FROM signals)")).toEqual([former.calls, former.signals]);
  expect(ask("SELECT digest, (SELECT count(*) FROM quality WHERE severity = 'error') FROM run")).toEqual([former.digest, 0]);
  expect((await analyze(trace))?.findings.map(({ rule, firstSeq, lastSeq }) => [rule, firstSeq, lastSeq])).toEqual(
    expect.arrayContaining([...former.findings]),
  );
  expect(ask("SELECT format FROM run")).toEqual([former.format]);
  trace.close();
  // The database that was made is taken as it is from now on.
  (await openTrace(dir, { onRebuild: (why) => expect.fail(why) })).close();
});

test.each(FORMER)("$file is analyzed, shown and run again by the commands", async (former) => {
  const dir = folderOf(former);
  const analyzed = await eintr(["analyze", dir]);
  expect([0, 1]).toContain(analyzed.code);
  for (const [rule] of former.findings) expect(analyzed.out).toContain(rule);
  const shown = await eintr(["show", dir, "--from", "0", "--to", "20"]);
  expect([shown.code, shown.out]).toEqual([0, expect.stringContaining("Signal context")]);
  const again = await eintr(["rerun", dir]);
  if (former.imported === true) return expect([again.code, again.talk]).toEqual([2, expect.stringContaining("no scenario to run again")]);
  // The emulation may have become truer since: then the first transition that differs is told. It does not differ by what the file lacks.
  expect([0, 1]).toContain(again.code);
  expect(again.out).toMatch(again.code === 0 ? `${former.rows} transitions, all the same as recorded` : /^first difference at seq \d+/);
  const [, columns = ""] = /^first difference at seq \d+ \(([^)]*)\)/.exec(again.out) ?? [];
  expect(columns.split(", ").filter((name) => (notYetIn(former.format) as readonly string[]).includes(name))).toEqual([]);
});
