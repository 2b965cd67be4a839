/** `eintr compare`: a case on every stack, side by side. */

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { STACK_NAMES } from "../../engine/index.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const LOG = path.resolve(import.meta.dirname, "../recorder/logs/read-sigint.strace");
afterEach(() => vi.unstubAllEnvs());

interface Json {
  readonly case: string;
  readonly stacks: readonly {
    readonly stack: string;
    readonly name: string;
    readonly outcome: { readonly text: string };
    readonly linux: { readonly same: boolean; readonly first: { readonly one: { readonly text: string } } | null } | null;
    readonly findings: readonly { readonly rule: string; readonly count: number }[];
    readonly time_ns: number;
    readonly time_of: string;
    readonly exits: { readonly eexit: number; readonly aex: number } | null;
    readonly digest: string;
    readonly refused?: string;
  }[];
}
const json = async (...args: string[]): Promise<Json> => JSON.parse((await eintr(["compare", ...args, "--format", "json"])).out) as Json;

function scenario(text: string): string {
  const file = path.join(fresh("case"), "../case.yaml");
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const pinned = (site: string): string =>
  scenario(
    `name: pinned\ntitle: t\nmain: [{ read: { from: p, takes: 1ms, result: 1 } }]\nsignals: [{ signal: SIGINT, when: { thread: main, site: "${site}" } }]\n`,
  );

describe("a case on all stacks", () => {
  test("one row a stack, in the order of the list", async () => {
    const { case: name, stacks } = await json("lost-interrupted-error");
    expect([name, stacks.map((row) => row.stack)]).toEqual(["lost-interrupted-error", STACK_NAMES]);
  });

  test("numbers and digest are those of eintr record, analyze and query", async () => {
    const [row] = (await json("lost-interrupted-error", "--stack", "graphene-sgx")).stacks;
    const dir = fresh("a.trace");
    const { talk } = await eintr(["record", "lost-interrupted-error", "--stack", "graphene-sgx", "-o", dir]);
    await eintr(["analyze", dir]);
    const ask = async (sql: string): Promise<unknown> =>
      Object.values(JSON.parse((await eintr(["query", dir, sql, "--format", "json"])).out)[0])[0];
    expect(talk).toContain(`digest ${row?.digest}`);
    expect(row?.linux?.first?.one.text).toBe("0");
    const found = await eintr(["query", dir, "SELECT rule, findings AS count FROM analysis WHERE findings > 0", "--format", "json"]);
    const sorted = (rules: readonly { rule: string; count: number }[] = []): string[] =>
      rules.map((one) => `${one.rule} ${one.count}`).sort();
    expect(sorted(row?.findings)).toEqual(sorted(JSON.parse(found.out)));
    expect(row?.findings).toContainEqual({ rule: "sgx-interrupted-code-lost", severity: "high", count: 1 });
    expect(row?.exits).toEqual({
      eexit: await ask("SELECT count(*) FROM transitions WHERE kind = 'sgx.eexit'"),
      aex: await ask("SELECT count(*) FROM transitions WHERE kind = 'sgx.aex'"),
    });
    expect([row?.time_of, row?.time_ns]).toEqual(["application", await ask("SELECT max(time_ns) FROM transitions WHERE layer = 'app'")]);
  });

  test("without an enclave there are no exits, and Linux is compared with nothing", async () => {
    const [linux, graphene] = (await json("nested", "--stack", "native-linux,graphene-linux")).stacks;
    expect([linux?.exits, linux?.linux, graphene?.exits, graphene?.linux?.same]).toEqual([null, null, null, false]);
  });

  test("a switch counts where it is known; where nobody knows it a note says so", async () => {
    const stacks = "native-linux,graphene-linux,graphene-sgx";
    const fixed = await eintr(["compare", "lost-interrupted-error", "--fix", "sgx-interrupted-code-lost", "--stack", stacks]);
    expect(fixed.out).toMatch(/^graphene-sgx \+ sgx-interrupted-code-lost +\S/m);
    expect(fixed.out).toMatch(/^graphene-linux +\d/m);
    expect([fixed.out, fixed.talk].join()).not.toMatch(/sgx-interrupted-code-lost \(|note:/);
    const alone = await eintr(["compare", "nested", "--stack", "native-linux", "--fix", "sgx-interrupted-code-lost"]);
    expect(alone.talk).toContain("note: --fix sgx-interrupted-code-lost changes nothing on native-linux");
  });

  test("a YAML file and a log of strace are cases, too", async () => {
    const file = scenario("name: mine\ntitle: a | b\nmain: [getpid]\n");
    const own = await eintr(["compare", file]);
    expect([own.code, own.out.split("\n")[0]]).toEqual([0, "mine: a | b"]);
    expect((await eintr(["compare", file, "--format", "markdown"])).out).toContain("**mine**: a \\| b");
    const log = await json(LOG, "--stack", "native-linux", "--stack", "graphene-sgx");
    expect(log.stacks.map((row) => row.linux?.first?.one.text ?? null)).toEqual([null, "-ENOENT"]);
  });

  test("a stack that lacks a place which the case names says so, and the others are run", async () => {
    const file = pinned("DkStreamRead: no error?");
    const { code, out } = await eintr(["compare", file, "--stack", "native-linux,graphene-linux"], { columns: 300 });
    expect(code).toBe(1);
    expect(out).toMatch(/^native-linux +not run: .*stack native-linux has no place "DkStreamRead: no error\?"/m);
    expect(out).toMatch(/^graphene-linux +\d/m);
    const table = await eintr(["compare", file, "nested", "--format", "markdown", "--stack", "native-linux,graphene-linux"]);
    expect(table.out).toMatch(/^\| `pinned`: t \| not run \| \S.* \|$/m);
  });

  test("a place that no stack has is a mistake of the case", async () => {
    const { code, out, talk } = await eintr(["compare", pinned("shim_getpid: no such place")]);
    expect([code, out, talk]).toEqual([
      2,
      "",
      expect.stringContaining('signals[0].when.site: stack native-linux has no place "shim_getpid'),
    ]);
  });
});

test("many cases: blocks as text, one table in Markdown, a line each in JSON", async () => {
  const args = ["compare", "initialisation", "nested", "--stack", "native-linux,graphene-linux"];
  const text = await eintr(args);
  expect(text.out.split("\n\n").map((block) => block.split(":")[0])).toEqual(["initialisation", "nested"]);
  expect(text.talk).toContain("time: last step of the application, virtual");
  const table = (await eintr([...args, "--format", "markdown"])).out.trimEnd().split("\n");
  expect(table.map((line) => line.split(" | ").length)).toEqual([3, 3, 3, 3]);
  expect(table[0]).toBe("| case | `native-linux` | `graphene-linux` |");
  expect(
    (await eintr([...args, "--format", "json"])).out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).case),
  ).toEqual(["initialisation", "nested"]);
});

test("no line is wider than the terminal", async () => {
  const { out } = await eintr(["compare", "w12-pause-alarm", "sigsuspend-lock"], { columns: 100 });
  expect(out.split("\n").filter((line) => line.length > 100)).toEqual([]);
  const narrow = await eintr(["compare", "w12-pause-alarm", "--stack", "native-linux,graphene-sgx"], { columns: 40 });
  expect(narrow.out).toMatch(/^graphene-sgx +1\.0001 s +[\d,]+\n {4}main exits with status 0\n/m);
  expect(`${narrow.out}${narrow.talk}`.split("\n").filter((line) => line.length > 40)).toEqual([]);
});

describe("exit code", () => {
  test("0 where all is as on Linux", async () => expect((await eintr(["compare", "initialisation"])).code).toBe(0));
  test("1 where it is not", async () => expect((await eintr(["compare", "nested"])).code).toBe(1));

  test.each([
    ["a case that is none", ["nestde"], 'no file and no built-in scenario "nestde"; did you mean "nested"?'],
    ["a stack that is none", ["nested", "--stack", "graphene-sgz"], '--stack: no stack "graphene-sgz"; did you mean "graphene-sgx"?'],
    ["a wrong scenario", ["FILE"], "main"],
    ["no case", [], "<case>"],
    ["a wrong limit", ["nested", "--time", "soon"], "--time: expected a duration"],
  ])("2 for %s, in words", async (_, args, words) => {
    const file = scenario("name: x\ntitle: t\nmain: [raed]\n");
    const { code, out, talk } = await eintr(["compare", ...args.map((arg) => (arg === "FILE" ? file : arg))]);
    expect([code, out, talk]).toEqual([2, "", expect.stringContaining(words)]);
  });

  test("130 after Ctrl-C, at once, and nothing is left behind", async () => {
    const temp = path.dirname(fresh("x"));
    mkdirSync(temp, { recursive: true });
    vi.stubEnv("TMPDIR", temp);
    const before = readdirSync(temp);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 300);
    const began = performance.now();
    const { code, out } = await eintr(["compare", "server", "--rows", "1e9"], { signal: stop.signal });
    expect([code, out]).toEqual([130, ""]);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(readdirSync(temp)).toEqual(before);
  });
});
