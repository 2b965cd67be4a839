/**
 * The package as it is installed: what `npm pack` makes, unpacked into an empty project. Its one dependency that is no part of its own
 * files, better-sqlite3, is ours, because it would be compiled for minutes. `npm test` builds first.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { tempPaths } from "./support/temp-dir.ts";

const fresh = tempPaths();
const ROOT = fileURLToPath(new URL("..", import.meta.url));
let project: string;
let files: string[];

const run = (command: string, args: readonly string[], cwd = project): string =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

beforeAll(() => {
  project = fresh("project");
  const modules = path.join(project, "node_modules");
  mkdirSync(modules, { recursive: true });
  const [made] = JSON.parse(run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", project], ROOT)) as {
    filename: string;
    files: { path: string }[];
  }[];
  files = (made?.files ?? []).map((file) => file.path);
  run("tar", ["xzf", made?.filename ?? ""]);
  run("mv", ["package", path.join(modules, "eintr")]);
  symlinkSync(path.join(ROOT, "node_modules", "better-sqlite3"), path.join(modules, "better-sqlite3"));
  writeFileSync(path.join(project, "package.json"), '{ "type": "module" }');
});

/** The example of the documentation. */
const example = (): string =>
  [...(/```ts\n([\s\S]*?)```/.exec(readFileSync(path.join(ROOT, "tui/library/eintr.d.ts"), "utf8"))?.[1] ?? "").matchAll(/^ \* ?(.*)$/gm)]
    .map(([, line]) => line)
    .join("\n");

test("has what it needs, and nothing of the checkout", () => {
  for (const needed of [
    "dist/eintr.js",
    "dist/library.js",
    "dist/library.d.ts",
    "dist/eintr.1",
    "dist/report.js",
    "dist/report-style.css",
    "dist/seal-worker.js",
    "README.md",
    "LICENSE",
  ])
    expect(files).toContain(needed);
  expect(files.filter((file) => !/^(dist\/|engine\/scenarios\/|package\.json$|README\.md$|LICENSE$)/.test(file))).toEqual([]);
  expect(files.filter((file) => file.endsWith(".map"))).toEqual([]);
  const installed = path.join(project, "node_modules", "eintr");
  for (const file of files) expect(readFileSync(path.join(installed, file)).includes(ROOT), file).toBe(false);
});

test("the example of its documentation runs", () => {
  expect(example()).toContain('from "eintr"');
  writeFileSync(path.join(project, "example.js"), example());
  const out = run(process.execPath, ["example.js"]);
  expect(out).toContain("graphene-sgx: main exits with status 0\nfirst difference from Linux alone:");
  expect(out).toContain("read(pipe, 64) returns 0 instead of -EINTR after SIGINT");
});

test("its types hold for a strict compiler, and refuse what is wrong", () => {
  const tsc = path.join(ROOT, "node_modules", ".bin", "tsc");
  const options = [
    "--strict",
    "--noEmit",
    "--exactOptionalPropertyTypes",
    "--module",
    "nodenext",
    "--target",
    "es2022",
    "--lib",
    "es2023,dom",
    "--types",
    "",
  ];
  writeFileSync(path.join(project, "good.ts"), example());
  run(tsc, [...options, "good.ts"]);
  writeFileSync(path.join(project, "bad.ts"), 'import { record } from "eintr";\nawait record("nested", { stack: 5 });\n');
  let message = "";
  try {
    run(tsc, [...options, "bad.ts"]);
  } catch (error) {
    message = (error as { stdout: string }).stdout;
  }
  expect(message).toMatch(/bad\.ts\(2,2\d\): error TS2\d+/);
});

test("its program records, reports and checks from there", () => {
  const eintr = (...args: string[]): string => run(process.execPath, ["node_modules/eintr/dist/eintr.js", ...args]);
  eintr("record", "lost-interrupted-error", "-o", "b.trace");
  eintr("report", "b.trace", "-o", "b.html");
  eintr("case", "b.trace", "-o", "b.case.yaml");
  expect(eintr("check", "b.case.yaml")).toContain("ok");
  eintr("export", "b.trace", "--format", "parquet", "-o", "b.parquet");
  for (const file of ["b.html", "b.parquet"]) expect(existsSync(path.join(project, file))).toBe(true);
});

describe("the manual page", () => {
  const page = (): string[] => readFileSync(path.join(project, "node_modules/eintr/dist/eintr.1"), "utf8").split("\n");

  test("has each command of the help, and its options", () => {
    const help = run(process.execPath, ["node_modules/eintr/dist/eintr.js", "--help"]);
    const commands = [...help.slice(help.indexOf("Commands:")).matchAll(/^ {2}([a-z]+) /gm)]
      .map(([, name]) => name)
      .filter((name) => name !== "help");
    expect(commands.length).toBeGreaterThan(15);
    const sections = page().flatMap((line) => /^\.SS "eintr ([a-z]+)/.exec(line)?.[1] ?? []);
    expect(sections).toEqual(expect.arrayContaining(commands.filter((name) => name !== "eintr")));
    expect(page()).toContain("\\fB\\-\\-finding <n>\\fR");
  });

  test("has no line that a text makes a request, and no macro but man's", () => {
    const requests = page().filter((line) => /^['.]/.test(line));
    expect(requests.filter((line) => !/^\.(TH|SH|SS|TP|PP|B|BR)\b/.test(line))).toEqual([]);
  });
});
