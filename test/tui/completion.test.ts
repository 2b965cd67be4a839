/** The completion scripts in their shells: bash always, zsh and fish where they are installed. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { LINTS, RULES } from "../../analyzer/catalogue.ts";
import { FIX_NAMES, OPTION_NAMES, PAGE_NAMES, STACK_NAMES } from "../../engine/index.ts";
import { listScenarios } from "../../tui/scenarios.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const SCENARIOS = listScenarios().map((scenario) => scenario.name);
const RULE_IDS = RULES.map((rule) => rule.id);
let folder = "";

async function script(shell: string): Promise<string> {
  const { code, out } = await eintr(["completion", shell]);
  expect(code).toBe(0);
  const file = path.join(folder, `eintr.${shell}`);
  writeFileSync(file, out);
  return file;
}

/** A folder to complete names in. */
beforeAll(() => {
  folder = fresh("here");
  for (const name of ["a.trace", "two words"]) mkdirSync(path.join(folder, name), { recursive: true });
  writeFileSync(path.join(folder, "my case.yaml"), "");
});

describe("bash", () => {
  /** What Tab offers after these words, the last of which is being typed. */
  async function offered(...words: string[]): Promise<string[]> {
    const ask = `source "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _eintr; printf "%s\\n" "\${COMPREPLY[@]}"`;
    const args = ["--norc", "-c", ask, "bash", await script("bash"), "eintr", ...words];
    const out = execFileSync("bash", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
    return out.split("\n").filter((line) => line !== "");
  }

  test("is registered for eintr", async () => {
    const registered = execFileSync("bash", ["--norc", "-c", 'source "$1"; complete -p eintr', "bash", await script("bash")], {
      encoding: "utf8",
    });
    expect(registered).toBe("complete -F _eintr eintr\n");
  });

  test("commands", async () => {
    expect(await offered("re")).toEqual(["record", "report", "replay", "rerun"]);
    expect(await offered("")).toContain("completion");
    expect(await offered("help", "que")).toEqual(["query"]);
  });

  test("options, of the program and of each command", async () => {
    expect(await offered("-")).toEqual(["--version", "--help"]);
    expect(await offered("record", "--s")).toEqual(["--stack", "--scheduler", "--seed", "--size"]);
    expect(await offered("record", "nested", "--fo")).toEqual(["--force"]);
    expect(await offered("query", "--s")).toEqual([]);
  });

  test("built-in scenarios, and files", async () => {
    for (const command of ["record", "replay"])
      expect(await offered(command, "")).toEqual(expect.arrayContaining([...SCENARIOS, "my case.yaml"]));
    expect(await offered("scenarios", "")).toEqual(SCENARIOS);
    expect(await offered("record", "my")).toEqual(["my case.yaml"]);
  });

  test("stacks", async () => {
    for (const words of [["stack"], ["record", "--stack"], ["rerun", "a.trace", "--stack"]])
      expect(await offered(...words, "")).toEqual(STACK_NAMES);
    // As bash splits --stack=g.
    expect(await offered("record", "--stack", "=", "n")).toEqual(["native-linux"]);
    expect(await offered("record", "--stack", "=")).toEqual(STACK_NAMES);
  });

  test("rules, stacks, fixes and options", async () => {
    expect(await offered("explain", "")).toEqual([...RULE_IDS, ...LINTS.map((lint) => lint.id), ...STACK_NAMES, ...PAGE_NAMES]);
    expect(await offered("analyze", "a.trace", "--rule", "")).toEqual(RULE_IDS);
    expect(await offered("record", "nested", "--fix", "")).toEqual(FIX_NAMES);
    expect(await offered("stack", "graphene-sgx", "--fix", "")).toEqual(FIX_NAMES);
    expect(await offered("rerun", "a.trace", "--option", "")).toEqual(OPTION_NAMES);
  });

  test("choices, tables and traces", async () => {
    expect(await offered("query", "a.trace", "--format", "")).toEqual(["table", "json", "csv"]);
    expect(await offered("analyze", "a.trace", "--fail-on", "h")).toEqual(["high"]);
    expect(await offered("schema", "sys")).toEqual(["syscall", "syscalls"]);
    expect((await offered("analyze", "")).sort()).toEqual(["a.trace", "two words"]);
    expect(await offered("record", "-o", "tw")).toEqual(["two words"]);
  });

  test("nothing where anything may stand", async () => {
    expect(await offered("query", "a.trace", "")).toEqual([]);
    expect(await offered("record", "--seed", "")).toEqual([]);
  });
});

const has = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).status === 0;

test.skipIf(!has("zsh"))("zsh takes the script", async () => {
  expect(spawnSync("zsh", ["-f", "-n", await script("zsh")], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
});

test.skipIf(!has("fish"))("fish", async () => {
  const ask = (line: string, file: string): string[] =>
    execFileSync("fish", ["--no-config", "-c", "source $argv[1]; complete -C $argv[2]", file, line], { cwd: folder, encoding: "utf8" })
      .split("\n")
      .flatMap((offer) => offer.split("\t")[0] || []);
  const file = await script("fish");
  expect(ask("eintr re", file)).toEqual(["record", "report", "replay", "rerun"]);
  expect(ask("eintr record nested --stack ", file).sort()).toEqual([...STACK_NAMES].sort());
  expect(ask("eintr explain ", file).sort()).toEqual([...RULE_IDS, ...LINTS.map((lint) => lint.id), ...STACK_NAMES, ...PAGE_NAMES].sort());
});

test("zsh and fish know the same words", async () => {
  for (const shell of ["zsh", "fish"]) {
    const { out } = await eintr(["completion", shell]);
    for (const word of [...SCENARIOS, ...STACK_NAMES, ...RULE_IDS, ...FIX_NAMES]) expect(out).toMatch(new RegExp(`[ '(]${word}[ ';)]`));
  }
});
