/** One style of errors: what is wrong, where, what was expected or meant; and what a word means. */

import { mkdirSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { commandExcerpt, excerpt, excerptOfSql } from "../../tui/present/excerpt.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const dir = fresh("one.trace");
beforeAll(async () => void (await eintr(["record", "initialisation", "--stack", "native-linux", "-o", dir])));

const talkOf = async (...argv: string[]): Promise<string> => {
  const { code, talk } = await eintr(argv);
  expect(code).toBe(2);
  return talk;
};

describe("the command line", () => {
  test.each<[argv: string[], what: string, mark: string]>([
    [["recrod", "x"], 'eintr: no command "recrod"; did you mean record?', "        ^^^^^^"],
    [["record", "--stak", "x"], 'eintr: no option "--stak"; did you mean --stack?', "               ^^^^^^"],
    [
      ["replay", "nested", "--rows", "9"],
      'eintr: no option "--rows"; eintr record, eintr compare, eintr show have it',
      "                      ^^^^^^",
    ],
    [["record", "nested", "--rows"], "eintr: --rows: a value is missing: --rows <n>", "                      ^^^^^^"],
    [
      ["record", "nested", "--rows=many"],
      'eintr: --rows: expected a whole number of at least 1, found "many"',
      "                             ^^^^",
    ],
    [
      ["analyze", "x", "--severity", "hig"],
      'eintr: --severity: expected one of info, low, medium, high, critical, found "hig"; did you mean "high"?',
      "                             ^^^",
    ],
    [["completion", "bsh"], 'eintr: shell: expected one of bash, zsh, fish, found "bsh"; did you mean "bash"?', "                   ^^^"],
    [["record", "nestd"], 'eintr: no file and no built-in scenario "nestd"; did you mean "nested"?', "               ^^^^^"],
  ])("%j", async (argv, what, mark) => {
    const [first, line, below] = (await talkOf(...argv)).split("\n");
    expect(first).toContain(what);
    expect(line).toBe(`  eintr ${argv.join(" ")}`);
    expect(below).toBe(mark);
  });

  test("what is missing or too much is told with the form", async () => {
    expect(await talkOf("show")).toContain("eintr: trace is missing: eintr show <trace>");
    expect(await talkOf("show", "a", "b")).toContain("too many words: expected 1 argument but got 2");
  });

  test("a trace that is not there: those that are", async () => {
    expect(await talkOf("show", `${dir}x`)).toContain(`did you mean "${dir}"?`);
  });

  test("a case where a trace is wanted: how it is recorded, and that diff runs it", async () => {
    expect(await talkOf("analyze", "nested")).toContain("that is a case, recorded by eintr record nested");
    expect(await talkOf("diff", "nested")).toContain("eintr diff nested --stack graphene-sgx runs it");
  });

  test("a file or folder that is no trace", async () => {
    const folder = fresh("folder");
    mkdirSync(folder);
    expect(await talkOf("analyze", folder)).toContain(`${folder} is a folder, and no trace: it has no transitions.arrow`);
    const file = fresh("x.yaml");
    writeFileSync(file, "name: x\n");
    expect(await talkOf("analyze", file)).toContain(`${file} is a file, and no packed trace; expected a trace's folder`);
    expect(await talkOf("show", dir, "--from", "9999")).toMatch(/^eintr: --from: seq 9999 is after the last transition of .*\n.*\n +\^/);
    expect(await talkOf("stack", "gramine-sgy")).toContain('eintr: no stack "gramine-sgy"; did you mean "gramine-sgx"?');
  });

  test("a word with blanks is marked within its quotes; a long line is cut before it", () => {
    expect(commandExcerpt(["query", "a b", "--limit", "x"], '--limit: found "x"')?.split("\n")).toEqual([
      "  eintr query 'a b' --limit x",
      "                            ^",
    ]);
    const [line = "", mark = ""] = commandExcerpt(["record", "n".repeat(200), "--rows", "x"], '--rows: found "x"')?.split("\n") ?? [];
    expect(line.length).toBeLessThan(110);
    expect(line[mark.indexOf("^")]).toBe("x");
    expect(commandExcerpt(["record", "a"], "nothing of it")).toBeNull();
  });
});

describe("files and SQL", () => {
  test("each mistake of a scenario stands with its line", async () => {
    const file = fresh("bad.yaml");
    writeFileSync(file, "name: bad\ntitle: t\nmain:\n  - raed: { from: pipe }\n  - nanosleep: 5 parsecs\n");
    const lines = (await talkOf("record", file)).split("\n");
    expect(lines[0]).toContain('4:5: main[0]: unknown operation "raed"; did you mean "read"?');
    expect(lines.slice(1, 3)).toEqual(["  4 |   - raed: { from: pipe }", "    |     ^"]);
    expect(lines.slice(4, 6)).toEqual(["  5 |   - nanosleep: 5 parsecs", "    |                ^"]);
  });

  test("SQL: the word, also over several lines; a keyword that slipped is told", async () => {
    const asked = async (sql: string): Promise<string[]> => (await talkOf("query", dir, sql)).split("\n");
    expect((await asked("SELECT seq,\n  flwo FROM transitions")).slice(0, 3)).toEqual([
      'eintr: SQL, line 2, column 3: no such column: flwo; did you mean "flow"?',
      "  2 |   flwo FROM transitions",
      "    |   ^^^^",
    ]);
    expect((await asked("SELECT seq FORM transitions"))[0]).toContain('did you mean FROM by "FORM"?');
    expect((await asked("SELECT seq FROM transitions WHERE"))[0]).toContain("SQL, line 1, column 34: incomplete input");
    expect((await asked("SELCT 1"))[0]).toContain("SELCT is not allowed (did you mean SELECT?)");
  });

  test("hostile bytes of a line are shown inert, tabs and wide characters keep the mark in place; no such place: nothing", () => {
    expect(excerpt("a\tb\u001b[31mc", 1, 3)).toBe("  1 | a b�[31mc\n    |   ^");
    expect(excerpt("日本 x", 1, 4)).toBe("  1 | 日本 x\n    |      ^");
    expect(excerpt("one", 2, 1)).toBeNull();
    expect(excerptOfSql("SELECT 1", "something else")).toBeNull();
  });
});

describe("eintr help", () => {
  test.each([
    ["record", "Usage: eintr record"],
    ["read", "read: read from a pipe"],
    ["sgx-interrupted-code-lost", "An interrupted system call".toLowerCase()],
    ["nested", "nested: a built-in case: SIGINT arrives while the handler of SIGTERM runs"],
    ["syscalls", "syscalls (view)"],
    ["app.return", "the call is back in the application"],
    ["first_seq", "finding.first_seq: begins here"],
    ["SIGCHLD", "SIGCHLD: signal 17; sent by kill, by a timer or from outside; without a handler"],
    ["EINTR", "-EINTR: error 4: a call that returns -4 has failed so"],
    ["aex", "AEX: asynchronous enclave exit"],
    ["delays", "delays: a question in SQL"],
    ["wakeup-lost-before-block", "a switch (--fix)"],
  ])("%s", async (word, says) => {
    const { code, out } = await eintr(["help", word]);
    expect(code).toBe(0);
    expect(out).toContain(says);
  });

  test("every command has its help by that word, and a word that nobody knows gets the nearest", async () => {
    expect((await eintr(["help"])).out).toContain("help [word]");
    expect((await eintr(["help", "help"])).out).toContain("eintr help SIGINT");
    expect(await talkOf("help", "SIGITN")).toContain('no command and no name "SIGITN"; did you mean "SIGINT"?');
  });
});
