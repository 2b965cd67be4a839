/** Commands that print what eintr knows, and the forms of a query's result. */

import { describe, expect, test } from "vitest";
import { COSTS, HISTORY, KINDS, STACK_NAMES, STACKS } from "../../engine/index.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

async function trace(...args: string[]): Promise<string> {
  const dir = fresh("a.trace");
  await eintr(["record", ...args, "-o", dir]);
  return dir;
}

test("scenarios: names, titles, and a text that can be recorded", async () => {
  const { out } = await eintr(["scenarios"]);
  const names = (await eintr(["scenarios", "--format", "names"])).out.trim().split("\n");
  expect(names.length).toBeGreaterThanOrEqual(30);
  for (const name of names) expect(out).toMatch(new RegExp(`^${name} +\\S.+$`, "m"));
  const { out: text } = await eintr(["scenarios", "nested"]);
  expect(text).toMatch(/^name: nested$/m);
});

test.each(STACK_NAMES)("stack %s: every flow, every step", async (name) => {
  const { out } = await eintr(["stack", name]);
  for (const flow of STACKS[name].flows(new Set())) {
    expect(out).toContain(flow.name);
    for (const item of flow.items) if ("op" in item) expect(out).toContain(item.label);
  }
  const lines = (await eintr(["stack", name, "--format", "json"])).out.trim().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { name: string }).name)).toEqual(STACKS[name].flows(new Set()).map((flow) => flow.name));
});

test("stack: a fix changes its flows", async () => {
  const plain = await eintr(["stack", "graphene-sgx"]);
  const fixed = await eintr(["stack", "graphene-sgx", "--fix", "sgx-interrupted-code-lost"]);
  expect(fixed.out).not.toBe(plain.out);
});

test.each(STACK_NAMES)("stack %s --costs: its numbers with their sources, and those that all stacks share", async (name) => {
  const { out } = await eintr(["stack", name, "--costs"], { columns: 90 });
  const { costs = {}, enclave } = STACKS[name];
  const told = Object.entries({ ...COSTS, ...costs }).filter(([kind]) => enclave || !kind.startsWith("sgx."));
  for (const [kind, { ns, source }] of told) {
    const line = out.split("\n").find((one) => one.startsWith(`  ${kind} `)) ?? "";
    expect(line).toMatch(new RegExp(` ${ns} ns  `));
    expect(line).toContain(source.split(" ").slice(0, 2).join(" "));
  }
  expect(out.split("\n").filter((line) => line.length > 90)).toEqual([]);
  expect((await eintr(["stack", name])).out).toContain("Virtual costs\n");
  const json = (await eintr(["stack", name, "--costs", "--format", "json"])).out.trim().split("\n");
  expect(json.map((line) => JSON.parse(line).kind).sort()).toEqual(told.map(([kind]) => kind).sort());
});

describe("stack --history", () => {
  test("each commit in a line of its own, the stacks that stand there, the switches with the verdicts that they change", async () => {
    const { out } = await eintr(["stack", "--history"], { columns: 100 });
    for (const { date, commits } of HISTORY) expect(out).toMatch(new RegExp(`^${date}  ${commits.join(" ")} `, "m"));
    expect(out).toMatch(/ceb789732[\s\S]*?here: graphene-linux, graphene-sgx/);
    expect(out).toMatch(/8bf06ca6c[\s\S]*?--fix sgx-interrupted-code-lost\n +graphene-sgx: [\s\S]*?lost-interrupted-error/);
    expect(out).toMatch(/--fix suspend-on-signal-dead-flag\n[^-]*?graphene-linux, [\s\S]*?no verdict of a/);
    expect(out.split("\n").filter((line) => line.length > 100)).toEqual([]);
  });

  test("as JSON; a stack's name has no meaning with it", async () => {
    const steps = (await eintr(["stack", "--history", "--format", "json"])).out.trim().split("\n");
    const { fixes } = steps.map((line) => JSON.parse(line)).find(({ commits }) => commits.includes("87a4d4768"));
    expect(fixes).toMatchObject([
      {
        fix: "async-list-redundant-cancel",
        verdicts: { "graphene-linux": ["async-list-cancel"], "graphene-sgx": ["async-list-cancel"] },
      },
    ]);
    const wrong = await eintr(["stack", "graphene-sgx", "--history"]);
    expect([wrong.code, wrong.talk]).toEqual([2, expect.stringContaining('leave "graphene-sgx" out')]);
  });
});

test("schema: tables, meanings, kinds; its SQL is that of the database", async () => {
  const { out } = await eintr(["schema"]);
  for (const kind of KINDS) expect(out).toContain(kind.name);
  for (const table of ["transition", "syscall", "signal", "entry", "upcall", "handler", "finding", "evidence", "count_by_kind"])
    expect(out).toMatch(new RegExp(`^${table}$`, "m"));
  const sql = (await eintr(["schema", "--sql"])).out;
  const dir = await trace("initialisation");
  const stored = await eintr(["query", dir, "SELECT sql FROM sqlite_schema WHERE name = 'syscall'", "--format", "json"]);
  expect(sql).toContain((JSON.parse(stored.out) as { sql: string }[])[0]?.sql);
});

describe("query", () => {
  const SQL = `SELECT 1 AS one, 'a,"b"' AS text, NULL AS none, 9007199254740993 AS big`;

  test("csv", async () => {
    expect((await eintr(["query", await trace("initialisation"), SQL, "--format", "csv"])).out).toBe(
      'one,text,none,big\n1,"a,""b""",,9007199254740993\n',
    );
  });

  test("json", async () => {
    const { out } = await eintr(["query", await trace("initialisation"), SQL, "--format", "json"]);
    expect(JSON.parse(out)).toEqual([{ one: 1, text: 'a,"b"', none: null, big: "9007199254740993" }]);
  });

  test("columns of the same name hide nothing from a program", async () => {
    const dir = await trace("initialisation");
    const sql = 'SELECT 1 AS seq, 2 AS seq, 3 AS "seq:2", 4 AS seq, 5 AS "10", 9e999 AS most';
    const csv = await eintr(["query", dir, sql, "--format", "csv"]);
    expect(csv.out).toBe("seq,seq:3,seq:2,seq:4,10,most\n1,2,3,4,5,Infinity\n");
    const json = await eintr(["query", dir, sql, "--format", "json"]);
    // In the order of the columns, which objects do not keep of names that are numbers.
    expect(json.out).toBe('[\n{"seq":1,"seq:3":2,"seq:2":3,"seq:4":4,"10":5,"most":"Infinity"}\n]\n');
    expect((await eintr(["query", "--help"])).out).toContain("seq:2");
  });

  test("table, without what would drive a terminal", async () => {
    const { out } = await eintr(["query", await trace("initialisation"), "SELECT char(27) || '[2J' AS evil, char(8238) AS turned"]);
    expect(out).not.toMatch(/[\u001b\u202e]/);
    expect(out.split("\n")[0]).toMatch(/^evil +turned$/);
  });

  test("a terminal that is too narrow cuts texts and no number, or tells a row column by column", async () => {
    const dir = await trace("initialisation");
    const sql = "SELECT 1234567890123456 AS number, 'a text that is longer than there is room for' AS text, 12 AS next";
    const cut = (await eintr(["query", dir, sql], { columns: 40 })).out.split("\n");
    expect(cut[0]).toMatch(/^number {12}text +next$/);
    expect(cut[2]).toMatch(/^1234567890123456 {2}a text .*… {4}12$/);
    expect(cut.filter((line) => line.length > 40)).toEqual([]);
    expect((await eintr(["query", dir, sql], { columns: 30 })).out).toBe(
      "row 1\n  number  1234567890123456\n  text    a text that is longer than th…\n  next    12\n",
    );
    expect((await eintr(["query", dir, sql])).out).toContain("than there is room for");
  });

  test("--limit says that more follows", async () => {
    const { out, talk } = await eintr([
      "query",
      await trace("initialisation"),
      "SELECT seq FROM transition ORDER BY seq",
      "--limit",
      "3",
      "--format",
      "csv",
    ]);
    expect(out).toBe("seq\n0\n1\n2\n");
    expect(talk).toContain("more rows follow");
  });

  test("Ctrl-C ends a query that would not end", async () => {
    const stop = new AbortController();
    const forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    const running = eintr(["query", await trace("initialisation"), forever], { signal: stop.signal });
    setTimeout(() => stop.abort(), 200);
    expect((await running).code).toBe(130);
  });
});

test.each(["bash", "zsh", "fish"])("completion for %s names every command", async (shell) => {
  const { out } = await eintr(["completion", shell]);
  for (const command of ["record", "analyze", "explain", "query", "show", "rerun", "stack", "scenarios", "schema", "demo"])
    expect(out).toContain(command);
});

test("every command has examples in its help, which fits 80 cells", async () => {
  const help = async (...args: string[]): Promise<string> => {
    const { out, code } = await eintr([...args, "--help"]);
    expect(code).toBe(0);
    expect(out.split("\n").filter((line) => [...line].length > 80)).toEqual([]);
    return out;
  };
  const commands = [...(await help()).matchAll(/^ {2}([a-z]+) [[<]/gm)].map((match) => match[1] ?? "");
  expect(commands.length).toBeGreaterThanOrEqual(11);
  for (const command of commands.filter((name) => name !== "help")) expect(await help(command), command).toContain("Examples:");
});
