/** Broken input of each kind: one clear error that names the place, exit code 2, nothing half-written. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

/** Fails with 2 and one message; gives the message. */
async function refused(args: readonly string[]): Promise<string> {
  const { code, out, talk } = await eintr(args);
  expect([code, out], talk).toEqual([2, ""]);
  expect(talk).not.toContain("bug of eintr");
  expect(talk).not.toMatch(/\n\s+at /);
  return talk;
}

function file(name: string, text: string): string {
  const made = fresh(name);
  writeFileSync(made, text);
  return made;
}

async function trace(...args: string[]): Promise<string> {
  const dir = fresh("good.trace");
  expect((await eintr(["record", ...args, "-o", dir])).code).toBe(0);
  return dir;
}

describe("a scenario", () => {
  test.each([
    ["not YAML", "name: x\nmain: [\ntitle: y\n", /bad\.yaml:\d+:\d+: not YAML/],
    ["a field that does not exist", "name: x\ntitle: y\nmain: []\nsignalz: []\n", /bad\.yaml:4.*signalz.*signals/s],
    ["an operation that does not exist", "name: x\ntitle: y\nmain:\n  - raed: { from: p }\n", /bad\.yaml:4.*raed.*read/s],
    ["a duration that is none", "name: x\ntitle: y\nmain:\n  - compute: fast\n", /bad\.yaml:4.*duration.*fast/s],
    ["a handler that does not exist", "name: x\ntitle: y\nmain:\n  - sigaction: { signal: SIGINT, handler: nope }\n", /nope/],
    ["nothing", "", /bad\.yaml/],
  ])("with %s", async (_, text, message) => {
    const dir = fresh("never.trace");
    expect(await refused(["record", file("bad.yaml", text), "-o", dir])).toMatch(message);
    expect(existsSync(dir)).toBe(false);
  });

  test("whose bytes would drive the terminal", async () => {
    const talk = await refused(["record", file("bad.yaml", 'name: "\u001b[2J"\ntitle: "x"\nmain: []\n'), "-o", fresh("never.trace")]);
    expect(talk).not.toContain("\u001b");
  });

  test("that is a folder, or not there", async () => {
    const folder = fresh("folder");
    mkdirSync(folder);
    expect(await refused(["record", folder])).toContain("is a folder");
    expect(await refused(["record", "lost-interupted-error"])).toContain('did you mean "lost-interrupted-error"');
    expect(await refused(["record", path.join(folder, "none.yaml")])).toContain("no file");
  });

  test("that is longer than what is read", async () => {
    const long = file("long.yaml", "");
    truncateSync(long, 2 ** 28 + 1);
    expect(await refused(["record", long])).toContain(`long.yaml: more than ${2 ** 28} bytes`);
  });
});

describe("a trace", () => {
  test("that is not there, or is no trace", async () => {
    const nothing = fresh("nothing.trace");
    for (const command of ["analyze", "show", "query", "rerun"])
      expect(await refused([command, nothing, ...(command === "query" ? ["SELECT 1"] : [])])).toContain(nothing);
    mkdirSync(nothing);
    writeFileSync(path.join(nothing, "transitions.arrow"), "this is no Arrow file, it only looks long enough to be one");
    expect(await refused(["analyze", nothing])).toContain("transitions.arrow");
    expect(readdirSync(nothing)).toEqual(["transitions.arrow"]);
  });

  test("whose folder is taken: the old one stays as it was", async () => {
    const dir = await trace("initialisation");
    const before = readFileSync(path.join(dir, "transitions.arrow"));
    expect(await refused(["record", "nested", "-o", dir])).toContain("--force");
    expect(readFileSync(path.join(dir, "transitions.arrow")).equals(before)).toBe(true);
    const foreign = fresh("foreign");
    mkdirSync(foreign);
    writeFileSync(path.join(foreign, "thesis.txt"), "irreplaceable");
    await refused(["record", "nested", "-o", foreign]);
    expect(readdirSync(foreign)).toEqual(["thesis.txt"]);
    await eintr(["record", "nested", "-o", foreign, "--force"]);
    expect(readFileSync(path.join(foreign, "thesis.txt"), "utf8")).toBe("irreplaceable");
  });

  test("that the tour would replace, where it was not asked to", async () => {
    const dir = await trace("initialisation");
    const before = readFileSync(path.join(dir, "transitions.arrow"));
    const { code, talk } = await eintr(["demo", "-o", dir]);
    expect(code).toBe(2);
    expect(talk).toContain("--force");
    expect(readFileSync(path.join(dir, "transitions.arrow")).equals(before)).toBe(true);
    expect((await eintr(["demo", "-o", dir, "--force"])).code).toBe(0);
  });

  test("that was cut anywhere opens with what is whole in it, or is refused with the place", async () => {
    const dir = await trace("server", "--rows", "40000", "--stack", "graphene-linux");
    const arrow = path.join(dir, "transitions.arrow");
    const whole = readFileSync(arrow);
    // Behind the last batch the file says once more where everything is: of what is cut there nothing is missed.
    for (const share of [0.95, 0.75, 0.6, 0.3, 0.01, 0]) {
      writeFileSync(arrow, whole);
      truncateSync(arrow, Math.floor(whole.length * share));
      rmSync(path.join(dir, "trace.db"), { force: true });
      const { code, talk, out } = await eintr(["query", dir, "SELECT count(*) FROM transition", "--format", "csv"]);
      if (code === 0) {
        const rows = Number(out.split("\n")[1]);
        expect(rows).toBeGreaterThanOrEqual(share > 0.5 ? 16384 : 0);
        if (share > 0.9) expect(rows).toBe(40000);
        else expect(rows).toBeLessThan(40000);
        expect(talk.includes("killed")).toBe(rows < 40000);
      } else {
        expect(code).toBe(2);
        expect(talk).toContain("transitions.arrow");
        expect(share).toBeLessThan(0.3);
      }
    }
  });
});

describe("SQL", () => {
  test.each([
    ["SELEC 1", /SELEC is not allowed.*SELECT/],
    ["SELECT *\nFROM nowhere", /line 2, column 6.*nowhere/s],
    ["DELETE FROM finding", /read/],
    ["ATTACH 'x.db' AS x", /ATTACH/i],
    ["PRAGMA journal_mode = DELETE", /PRAGMA/i],
    ["SELECT 1; SELECT 2", /one statement/],
    ["", /statement/],
  ])("%s", async (sql, message) => {
    expect(await refused(["query", await trace("initialisation"), sql])).toMatch(message);
  });
});

describe("wrong use", () => {
  test.each([
    [["record"], "expected a case (eintr scenarios lists built-in ones), -p PID, or -- PROGRAM ARGS"],
    [["recrod", "x"], "did you mean record?"],
    [["record", "nested", "--stack", "graphene-sgz"], 'did you mean "graphene-sgx"'],
    [["record", "nested", "--fix", "sgx-interrupted-code"], 'did you mean "sgx-interrupted-code-lost"'],
    [["record", "nested", "--rows", "-3"], "--rows: expected a whole number of at least 1"],
    [["record", "nested", "--time", "soon"], "--time: expected a duration"],
    [["explain", "sgx-interrupted"], 'did you mean "sgx-interrupted-code-lost"'],
    [["analyze", "x", "--fail-on", "bad"], "expected one of info, low, medium, high, critical, never"],
    [["schema", "handlr"], 'did you mean "handler"'],
    [["stack", "graphene-sgx", "--flow", "sgx_rise"], 'did you mean "sgx_raise"'],
  ])("%j", async (args, message) => {
    expect(await refused(args)).toContain(message);
  });
});
