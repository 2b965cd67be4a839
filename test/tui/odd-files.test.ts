/** Whatever a user names: only regular files are read, at once or not at all, and the message is of a length that somebody reads. */

import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eintr } from "../support/command-line.ts";
import { startProgram } from "../support/program.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const server = createServer();
let trace: string;
/** What is no regular file, by what it is. */
const odd: Record<string, string> = {};

beforeAll(async () => {
  trace = fresh("a.trace");
  await eintr(["record", "nested", "-o", trace]);
  odd.pipe = fresh("pipe");
  execFileSync("mkfifo", [odd.pipe]);
  odd.folder = fresh("folder");
  mkdirSync(odd.folder);
  odd.device = "/dev/zero";
  odd.socket = fresh("s");
  await new Promise<void>((resolve) => server.listen(odd.socket, resolve));
});
afterAll(() => void server.close());

/** A trace folder in which a file of the trace is something odd. */
function traceWith(name: string, what: string): string {
  const dir = fresh("odd.trace");
  mkdirSync(dir);
  if (name !== "transitions.arrow") linkSync(path.join(trace, "transitions.arrow"), path.join(dir, "transitions.arrow"));
  symlinkSync(what, path.join(dir, name));
  return dir;
}

/** As a process: one that waits in the kernel could not be stopped from within. */
async function ends(args: readonly string[]): Promise<{ code: number | null; talk: string }> {
  const { child, ended } = startProgram(args);
  const late = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const { code, signal, talk } = await ended;
  clearTimeout(late);
  expect(signal, args.join(" ")).toBeNull();
  return { code, talk };
}

describe.each(["pipe", "folder", "device", "socket"])("a %s", (what) => {
  test("is no case, no trace, and nothing to record into", async () => {
    const name = odd[what] as string;
    const commands = [
      ["record", name],
      ["analyze", name],
      ["show", name],
      ["query", name, "SELECT 1"],
      ["rerun", name],
      ["replay", name],
    ];
    const into = what === "folder" ? [] : [["record", "nested", "--force", "-o", name]];
    for (const { code, talk } of await Promise.all([...commands, ...into].map(ends))) {
      expect(code, talk).toBe(2);
      expect(talk.split("\n").length).toBeLessThan(5);
    }
  });

  test("in the place of transitions.arrow is refused", async () => {
    const dir = traceWith("transitions.arrow", odd[what] as string);
    for (const args of [
      ["analyze", dir],
      ["query", dir, "SELECT 1"],
    ]) {
      const { code, talk } = await ends(args);
      expect(code, talk).toBe(2);
      expect(talk).toContain(`this is a ${what}, expected a regular file`);
    }
  });

  test("in the place of trace.db is replaced", async () => {
    const { code, talk } = await ends(["query", traceWith("trace.db", odd[what] as string), "SELECT 1"]);
    expect(code, talk).toBe(0);
    expect(talk).toContain("trace.db is no regular file");
  });
});

describe("messages are of a length that somebody reads", () => {
  const file = (text: string): string => {
    const name = fresh("case.yaml");
    writeFileSync(name, text);
    return name;
  };
  const BASE = { name: "a", title: "t", main: [] };

  test.each([
    ["a key of a megabyte", () => file(JSON.stringify({ ...BASE, ["k".repeat(1e6)]: 1 }))],
    ["a name of a megabyte", () => file(JSON.stringify({ ...BASE, main: [{ clone: "n".repeat(1e6) }] }))],
    ["an operation of a megabyte", () => file(JSON.stringify({ ...BASE, main: [{ ["o".repeat(1e6)]: 1 }] }))],
    ["ten thousand mistakes", () => file(JSON.stringify({ ...BASE, main: Array.from({ length: 10_000 }, (_, i) => ({ [`o${i}`]: 1 })) }))],
    ["ten thousand lines", () => file(`name: "${"\\n".repeat(10_000)}"\ntitle: t\nmain: []\n`)],
    ["a file name", () => `/${"x".repeat(3000)}`],
  ])("%s", async (_, make) => {
    const { code, talk } = await eintr(["record", make(), "-o", fresh("never.trace")]);
    expect(code).toBe(2);
    expect(talk.length).toBeLessThan(20_000);
    expect(talk.split("\n").length).toBeLessThan(45);
  });

  test("one wrong name among very many is found in reasonable time", async () => {
    const programs = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`program-${i}`, ["getpid"]]));
    const began = performance.now();
    const { code, talk } = await eintr([
      "record",
      file(JSON.stringify({ ...BASE, main: [{ clone: "progam-77" }], programs })),
      "-o",
      fresh("x"),
    ]);
    expect(code).toBe(2);
    expect(talk).toContain("progam-77");
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test.each(["--rows", "--time"])("%s changes no message about a file that is no scenario", async (option) => {
    for (const text of [
      "just some notes\nof mine\n",
      "- a\n- b\n",
      "name: a\ntitle: t\nmain: []\nlimit: 5\n",
      "name: a\nlimit: *x\n",
      "{",
      "\u0000",
    ]) {
      const name = file(text);
      const plain = await eintr(["record", name, "-o", fresh("never")]);
      expect(plain.code, plain.talk).toBe(2);
      expect(await eintr(["record", name, "-o", fresh("never"), option, option === "--rows" ? "5" : "5ms"])).toEqual(plain);
    }
  });

  test("a limit that stands elsewhere by its anchor is kept as one", async () => {
    const text = "name: a\ntitle: t\nabout: &l x\nlimit: &a { time: 5s }\nmain: [getpid]\narrivals: [{ to: *l, when: { at: 1s } }]\n";
    const dir = fresh("a.trace");
    const { code, talk } = await eintr(["record", file(text), "--rows", "20", "-o", dir]);
    expect(code, talk).toBe(0);
    expect((await eintr(["rerun", dir])).out).toContain("all the same as recorded");
  });
});

test("csv for a spreadsheet: no text of a stranger is a formula, numbers stay numbers", async () => {
  const sql =
    "SELECT '=1+1' AS \"=head\", '+1' AS a, '-1e3' AS b, '@x' AS c, -4 AS d, char(9) || 'x' AS e, '-x' AS f, 'plain' AS g, '-' AS h";
  const plain = await eintr(["query", trace, sql, "--format", "csv"]);
  expect(plain.out).toBe("=head,a,b,c,d,e,f,g,h\n=1+1,+1,-1e3,@x,-4,\tx,-x,plain,-\n");
  const safe = await eintr(["query", trace, sql, "--format", "csv", "--csv-safe"]);
  expect(safe.out).toBe("'=head,a,b,c,d,e,f,g,h\n'=1+1,'+1,-1e3,'@x,-4,'\tx,'-x,plain,'-\n");
  const { out } = await eintr(["query", "--help"]);
  expect(out).toMatch(/--csv-safe/);
  expect(out).toMatch(/begins with = \+ - or @ is a formula/);
});
