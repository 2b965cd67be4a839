/** Fixes and options of the command line: carried into the trace, told beside the stack, run again, and noted where they change nothing. */

import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { addStack, boot, FIXES, OPTIONS, optionsOf, parseScenario, STACKS, stacksKnowing } from "../../engine/index.ts";
import { openTrace } from "../../recorder/index.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const NOBODY = "toy-with-exinfo";
addStack(NOBODY, { ...STACKS["native-linux"], switches: ["exinfo"] });

const recorded = async (...args: string[]): Promise<{ dir: string; code: number; talk: string }> => {
  const dir = fresh("a.trace");
  return { dir, ...(await eintr(["record", ...args, "-o", dir])) };
};

describe("options", () => {
  test("are kept with the trace, told beside the stack, and part of the run again", async () => {
    const { dir, code, talk } = await recorded("nested", "--stack", NOBODY, "--option", "exinfo,edmm");
    expect(code).toBe(0);
    expect(talk).toContain(`${NOBODY} + exinfo + edmm: main exits with status 0`);
    const kept = await eintr(["query", dir, "SELECT stack, fixes, options FROM run", "--format", "json"]);
    expect(JSON.parse(kept.out)).toEqual([{ stack: NOBODY, fixes: "[]", options: '["exinfo","edmm"]' }]);
    expect((await eintr(["rerun", dir])).out).toMatch(/transitions, all the same as recorded/);
    expect((await eintr(["export", dir, "--format", "markdown"])).out).toContain(`${NOBODY} + exinfo + edmm`);
    const other = await eintr(["rerun", dir, "--option", "exitless"]);
    expect(other.talk).toContain(`against  ${NOBODY} + exinfo + edmm + exitless:`);
    expect(other.out).toBe("the application sees the same\n");
  });

  test("of a scenario count where the stack knows them", async () => {
    const text = "name: x\ntitle: t\nmain: [getpid]\noptions: [exinfo, edmm]\n";
    const scenario = parseScenario(text, "x");
    expect(optionsOf({ stack: "native-linux", scenario })).toEqual([]);
    expect(optionsOf({ stack: "native-linux", scenario, options: ["exitless"] })).toEqual(["exitless"]);
    const run = boot({ stack: addStack("another-with-exinfo", { ...STACKS["native-linux"], switches: ["exinfo"] }), scenario });
    expect(optionsOf(run.options)).toEqual(["exinfo"]);
    const file = path.join(fresh("case"), "../x.yaml");
    writeFileSync(file, text);
    expect((await recorded(file, "--stack", NOBODY)).talk).toContain(`${NOBODY} + exinfo: main`);
    expect((await recorded(file, "--stack", "native-linux")).talk).toContain("native-linux: main");
  });

  test("of a trace of before are none", async () => {
    const { dir } = await recorded("nested", "--stack", "native-linux");
    const trace = await openTrace(dir);
    expect(trace.info.options).toEqual([]);
    trace.close();
  });

  test("that are none are answered with the one that was meant, and with a fix where it is one", async () => {
    const near = await recorded("nested", "--option", "exinof");
    expect([near.code, near.talk]).toEqual([2, expect.stringContaining('--option: no option "exinof"; did you mean "exinfo"?')]);
    const fix = await recorded("nested", "--option", "sigsuspend-ignores-pending");
    expect([fix.code, fix.talk]).toEqual([2, expect.stringContaining('"sigsuspend-ignores-pending" is a fix: --fix')]);
    const option = await recorded("nested", "--fix", "edmm");
    expect([option.code, option.talk]).toEqual([2, expect.stringContaining('"edmm" is an option: --option edmm')]);
  });
});

describe("a switch that the stack does not know", () => {
  const NOTE = "note: --fix sgx-interrupted-code-lost changes nothing on graphene-linux (known to graphene-sgx";

  test("gets a note when it is recorded, run again, listed", async () => {
    const { dir, talk } = await recorded("nested", "--stack", "graphene-linux", "--fix", "sgx-interrupted-code-lost");
    expect(talk).toContain(NOTE);
    const again = await eintr(["rerun", dir, "--fix", "sgx-interrupted-code-lost"]);
    expect(again.talk).toContain(NOTE);
    expect((await eintr(["rerun", dir, "--stack", "graphene-sgx", "--fix", "sgx-interrupted-code-lost"])).talk).not.toContain("note:");
    expect((await eintr(["stack", "graphene-linux", "--fix", "sgx-interrupted-code-lost"])).talk).toContain(NOTE);
  });

  test("and one that it knows gets none", async () => {
    expect((await recorded("nested", "--stack", "graphene-sgx", "--fix", "sgx-interrupted-code-lost")).talk).not.toContain("note:");
  });
});

test("the help of record says where the switches are listed, each with the stacks that know it", async () => {
  expect((await eintr(["record", "--help"])).out).toContain("  eintr stack --switches\n");
  const { out } = await eintr(["stack", "--switches"]);
  const lines = out.split("\n");
  for (const name of [...Object.keys(FIXES), ...Object.keys(OPTIONS)]) {
    const at = lines.indexOf(`  ${name}`);
    expect(at).toBeGreaterThan(0);
    const end = lines.findIndex((line, i) => i > at && !line.startsWith("      "));
    const told = lines.slice(at + 1, end).join(" ");
    for (const stack of stacksKnowing(name as keyof typeof FIXES | keyof typeof OPTIONS)) expect(told).toContain(stack);
  }
});

test("eintr stack NAME --switches lists those of one stack", async () => {
  const { out } = await eintr(["stack", "graphene-sgx", "--switches", "--format", "json"]);
  const ids = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).id);
  expect(ids).toEqual(
    [...Object.keys(FIXES), ...Object.keys(OPTIONS)].filter((id) => STACKS["graphene-sgx"].switches?.includes(id as never)),
  );
  expect((await eintr(["stack", "native-linux", "--switches"])).out).toBe("it has no switches\n");
});
