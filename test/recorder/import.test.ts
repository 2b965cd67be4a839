/** Importers: known by the first bytes, read in chunks; what happened is kept as it is, what is not known is NULL. */

import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { STATE_COLUMNS } from "../../engine/index.ts";
import { createLineSplitter, IMPORTERS, importerFor, SNIFF_BYTES } from "../../recorder/import/index.ts";
import { openTrace, record } from "../../recorder/index.ts";
import { eintr } from "../support/command-line.ts";
import { testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";
import { toyImporter } from "../support/toy-importer.ts";

const fresh = tempPaths();

const TOY = `# toy trace
100.000001 main call read(0)
100.000005 main signal 2
100.000010 main return -4
100.000020 worker call futex(1)
what is this
100.000030 worker return 0
`;

function written(text: string, name = "a.toy"): string {
  const file = fresh(name);
  writeFileSync(file, text);
  return file;
}

async function recorded(text: string, ...options: string[]): Promise<{ dir: string; talk: string; code: number }> {
  const dir = fresh("toy.trace");
  const { talk, code } = await eintr(["record", written(text), "-o", dir, ...options]);
  return { dir, talk, code };
}

async function* chunked(text: string, size: number): AsyncGenerator<Uint8Array, void> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("an importer is known by the first bytes of its files", () => {
  const start = (text: string) => importerFor(Buffer.from(text).subarray(0, SNIFF_BYTES))?.id;
  expect(start(TOY)).toBe("toy");
  expect(start('1 1700000000.000001 read(0, "", 64) = 0 <0.000010>\n')).toBe("strace");
  expect(start("name: a\ntitle: b\n")).toBeUndefined();
  expect(start("")).toBeUndefined();
  expect(new Set(IMPORTERS.map(({ id }) => id)).size).toBe(IMPORTERS.length);
});

test.each([
  ["ltrace, from the middle of a run", "7 12:00:01.1 signal(2, 0x4011) = 0 <0.1>\n7 12:00:01.2 read(0 <unfinished ...>\n", "an ltrace log"],
  ["ltrace, with nothing in front", 'puts("hello") = 6\nread(0, "", 64) = 0\n--- SIGINT (Interrupt) ---\n', "an ltrace log"],
  ["sysdig", "1 12:00:01.123 0 bash (1234) > read fd=3 size=512\n2 12:00:01.124 0 bash (1234) < read res=512\n", "sysdig"],
  ["truss of FreeBSD", '7: read(3,"root",512)\t\t = 4 (0x4)\n7: write(1,"a",1)\t\t = 1 (0x1)\n', "truss"],
  [
    "perf script of events alone",
    "12.000001: signal:signal_generate: sig=2\n12.000002: raw_syscalls:sys_exit: NR 0 = -4\n",
    "-F comm,tid,time",
  ],
  ["ftrace's function graph", "# tracer: function_graph\n#\n 0)   0.123 us    |    ksys_read();\n", "trace-cmd record -e signal"],
  ["dmesg", "[12345.678901] traps: a.out[1234] general protection fault ip:401136 sp:7ffd error:0\n", "nothing that eintr reads"],
])("a log of another program is not read, and named: %s", async (_, text, words) => {
  const dir = fresh("other.trace");
  const { talk, code } = await eintr(["record", written(text, "other.log"), "-o", dir]);
  expect(talk).toContain(words);
  expect(code).toBe(2);
});

describe("lines out of chunks", () => {
  const text = "one\r\ntwo \u{1f600}\n\nfour";
  test.each([1, 2, 3, 5, 100])("of %d bytes", async (size) => {
    const splitter = createLineSplitter();
    const lines: string[] = [];
    for await (const chunk of chunked(text, size)) lines.push(...splitter.add(chunk));
    expect([...lines, splitter.rest()]).toEqual(["one", "two \u{1f600}", "", "four"]);
    expect(splitter.rest()).toBe("");
  });
});

describe("what happened, as an importer tells it", () => {
  test("is recorded: time from the first line, threads and sites as they came, state NULL", async () => {
    const { dir, talk, code } = await recorded(TOY);
    expect(code).toBe(0);
    expect(talk).toContain("5 transitions from a toy trace, 29.0 us of real time");
    expect(talk).toContain("toy: main still runs when the run ends, and 1 threads more, where its recording ends");
    expect(talk).toContain("toy.foreign: 1 (lines that are none)");
    const trace = await openTrace(dir, { onRebuild: (why) => expect.fail(why) });
    expect([trace.info.origin, trace.info.stack, trace.info.clock]).toEqual(["imported", "toy", "monotonic"]);
    expect(trace.absent).toEqual(STATE_COLUMNS);
    expect(
      trace.ask("SELECT seq, time_ns, thread, kind, label, value, cssa, preempt, pending, depth FROM transitions ORDER BY seq"),
    ).toEqual([
      [0, 0, "main", "app.call", "read(0)", 2, null, null, null, null],
      [1, 4000, "main", "host.signal.generate", "signal", 0, null, null, null, null],
      [2, 9000, "main", "app.return", "return", -4, null, null, null, null],
      [3, 19_000, "worker", "app.call", "futex(1)", 5, null, null, null, null],
      [4, 29_000, "worker", "app.return", "return", 0, null, null, null, null],
    ]);
    expect(trace.ask("SELECT thread, call, duration_ns, result, native FROM syscalls ORDER BY seq")).toEqual([
      ["main", "read(0)", 9000, -4, null],
      ["worker", "futex(1)", 10_000, 0, null],
    ]);
    expect(trace.ask("SELECT signal, thread, outcome FROM signals")).toEqual([["SIGINT", "main", "pending"]]);
    expect(trace.ask("SELECT clock, origin FROM run")).toEqual([["monotonic", "imported"]]);
    trace.close();
  });

  test("is analyzed and shown; it cannot be run again", async () => {
    const { dir } = await recorded(TOY);
    const analyzed = await eintr(["analyze", dir]);
    expect([analyzed.code, analyzed.talk]).toEqual([0, expect.stringContaining("no findings in 5 transitions")]);
    const shown = await eintr(["show", dir]);
    expect([shown.code, shown.out]).toEqual([0, expect.stringContaining("read(0)")]);
    const again = await eintr(["rerun", dir]);
    expect([again.code, again.talk]).toEqual([
      2,
      expect.stringContaining("was imported from a real run: there is no scenario to run again"),
    ]);
  });

  test("is bounded as any recording", async () => {
    const { dir, talk } = await recorded(TOY, "--rows", "3");
    expect(talk).toContain("3 transitions from a toy trace, 9.0 us of real time, at the limit of transitions");
    const trace = await openTrace(dir);
    expect([trace.transitions.rows, trace.complete]).toEqual([3, true]);
    trace.close();
  });

  test("has no stack to be emulated on", async () => {
    const { talk, code } = await recorded(TOY, "--stack", "graphene-sgx");
    expect([code, talk]).toEqual([
      2,
      expect.stringContaining("is a toy trace: it is kept as it happened, and --stack has no meaning for it"),
    ]);
  });

  test("ends where the file is broken, with the place; without a single row there is no trace", async () => {
    const { dir, talk, code } = await recorded(`${TOY}99.000000 main call read(0)\n`);
    expect([code, talk]).toEqual([2, expect.stringMatching(/a\.toy:8: time goes back/)]);
    await expect(openTrace(dir)).rejects.toThrow(/cannot be opened/);
  });

  test("keeps what came when Ctrl-C ends the waiting for more", async () => {
    const stop = new AbortController();
    async function* waiting(): AsyncGenerator<Uint8Array, void> {
      yield Buffer.from(TOY);
      // As a pipe whose writer says nothing more.
      await new Promise((_, reject) => stop.signal.addEventListener("abort", () => reject(new Error("aborted"))));
    }
    const imported = await toyImporter.read(waiting(), "pipe");
    if (imported.is !== "transitions") return expect.fail("it tells what happened");
    const dir = fresh("waiting.trace");
    setTimeout(() => stop.abort(), 20);
    const { end } = await record(imported.source, dir, { ...testInfo(), clock: "monotonic" }, { signal: stop.signal });
    expect([end.reason, end.rows, end.interrupted]).toEqual(["aborted", 5, true]);
    const trace = await openTrace(dir);
    expect(trace.sites.map(({ label }) => label)).toEqual(["read(0)", "signal", "return", "futex(1)"]);
    trace.close();
  });

  test("is read as it is needed: the file need not fit into memory", async () => {
    const line = (i: number) => `${100 + i}.000000 main call read(${i % 7})\n`;
    let asked = 0;
    async function* endless(): AsyncGenerator<Uint8Array, void> {
      yield Buffer.from("# toy trace\n");
      for (;;) yield Buffer.from(line(asked++));
    }
    const imported = await toyImporter.read(endless(), "endless.toy");
    if (imported.is !== "transitions") return expect.fail("it tells what happened");
    let rows = 0;
    const sink = { put: ({ n }: { n: number }) => void (rows += n) };
    expect(await imported.source.run(1000, sink)).toBe(true);
    imported.source.flush(sink);
    expect(rows).toBe(1000);
    expect(asked).toBeLessThan(1100);
  });
});
