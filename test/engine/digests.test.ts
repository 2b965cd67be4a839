/**
 * Behaviour stays: every built-in scenario on every stack, under each scheduler, without and with all fixes, does what
 * `golden/digests.txt` holds. A failure names the run and what differs; which row differs first is told by
 * `EINTR_AGAINST=CHECKOUT npx vitest run test/engine/digests.test.ts`, which runs the engine of another checkout beside this one.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import * as engine from "../../engine/index.ts";
import { FIX_NAMES, type RunOptions, STACK_NAMES, type StackName } from "../../engine/index.ts";
import { DIGEST_HEADER, DIGEST_ROWS, digestLine } from "../support/run-digests.ts";
import { BUILT_IN, builtIn } from "../support/run-scenario.ts";

const TABLE = path.resolve(import.meta.dirname, "../golden/digests.txt");
const AGAINST = process.env.EINTR_AGAINST;
const UPDATE = process.env.EINTR_UPDATE === "1";

const SCHEDULERS: readonly [string, Pick<RunOptions, "scheduler" | "seed">][] = [
  ["scripted", { scheduler: "scripted" }],
  ["seed-1", { scheduler: "seeded", seed: 1 }],
  ["seed-2", { scheduler: "seeded", seed: 2 }],
];
const FIXES = [
  ["no-fix", []],
  ["all-fixes", FIX_NAMES],
] as const;

interface Case {
  readonly key: string;
  readonly scenario: string;
  readonly options: Omit<RunOptions, "scenario">;
}

const casesOf = (scenario: string): Case[] =>
  STACK_NAMES.flatMap((stack: StackName) =>
    SCHEDULERS.flatMap(([scheduler, chance]) =>
      FIXES.map(([fixed, fixes]) => ({
        key: `${scenario} ${stack} ${scheduler} ${fixed}`,
        scenario,
        options: { stack, fixes, ...chance },
      })),
    ),
  );

/** The committed table: "scenario stack scheduler fixes" to its cells, in the order of today's header; a column that is new has none. */
function readTable(): { readonly rows: Map<string, (string | undefined)[]>; readonly added: readonly string[] } {
  const lines = existsSync(TABLE) ? readFileSync(TABLE, "utf8").trimEnd().split("\n") : [];
  const [head = [], ...rows] = lines.map((line) => line.split(/ +/));
  const places = DIGEST_HEADER.map((name) => head.indexOf(name));
  return {
    rows: new Map(rows.map((cells) => [cells.slice(0, 4).join(" "), places.map((at) => cells[at])])),
    added: DIGEST_HEADER.filter((name) => !head.includes(name)),
  };
}

const { rows: committed, added } = readTable();
const found = new Map<string, string[]>();
/** What differs from the table beside columns that are new. */
const changed: string[] = [];

/** "name: before -> now" for each entry of the header that differs. */
const differences = (before: readonly (string | undefined)[], now: readonly string[]): string[] =>
  DIGEST_HEADER.flatMap((name, i) => (before[i] === now[i] ? [] : [`${name}: ${before[i] ?? "nothing"} -> ${now[i]}`]));
const isOfAdded = (difference: string): boolean => added.some((name) => difference.startsWith(`${name}: nothing ->`));

it.each(BUILT_IN)("%s does what it did", async (name) => {
  const other = AGAINST === undefined ? null : ((await import(path.resolve(AGAINST, "engine/index.ts"))) as typeof engine);
  const scenario = builtIn(name);
  const wrong: string[] = [];
  for (const { key, options } of casesOf(name)) {
    const now = digestLine(engine.boot({ ...options, scenario }));
    found.set(key, now);
    const before = other ? digestLine(other.boot({ ...options, scenario })) : (committed.get(key) ?? []);
    const differ = differences(before, now).filter((difference) => !isOfAdded(difference));
    if (differ.length === 0 || (UPDATE && !committed.has(key))) continue;
    wrong.push(`${key}: ${differ.join(", ")}`);
    if (other) wrong.push(...firstRow(other.boot({ ...options, scenario }), engine.boot({ ...options, scenario })));
  }
  changed.push(...wrong);
  if (!UPDATE) expect(wrong).toEqual([]);
});

it("has a table of all runs, and of no others", () => {
  const keys = BUILT_IN.flatMap((name) => casesOf(name).map(({ key }) => key));
  if (!UPDATE) expect(added, "columns that EINTR_UPDATE=1 adds to the table").toEqual([]);
  if (added.length > 0)
    expect(
      changed,
      `nothing is written: ${added} is new, and cells of other columns differ. A change of behaviour has a commit of its own, before the column: write the table there`,
    ).toEqual([]);
  if (UPDATE)
    writeFileSync(
      TABLE,
      tableOf(keys.map((key) => [...key.split(" "), ...(found.get(key) ?? committed.get(key)?.map((cell) => cell ?? "?") ?? [])])),
    );
  expect([...readTable().rows.keys()]).toEqual(keys);
});

/** A difference in one column is seen as one in that column. */
it("tells what differs", () => {
  const run = (): engine.Run => engine.boot({ stack: "graphene-sgx", scenario: builtIn("lost-interrupted-error") });
  const first = digestLine(run());
  const moved = run();
  moved.machine.now += 1;
  expect(differences(first, digestLine(run()))).toEqual([]);
  expect(differences(first, digestLine(moved)).map((text) => text.split(":")[0])).toEqual(["time"]);
});

function tableOf(lines: readonly string[][]): string {
  const all = [["scenario", "stack", "scheduler", "fixes", ...DIGEST_HEADER], ...lines];
  const widths = (all[0] as string[]).map((_, i) => Math.max(...all.map((line) => line[i]?.length ?? 0)));
  return all
    .map(
      (line) =>
        `${line
          .map((cell, i) => cell.padEnd(widths[i] as number))
          .join(" ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** The first row that differs, as both engines make it. */
function firstRow(before: engine.Run, now: engine.Run): string[] {
  const [a, b] = [before, now].map(rowTexts) as [string[], string[]];
  const at = a.findIndex((row, i) => row !== b[i]);
  const seq = at < 0 ? a.length : at;
  return a[seq] === b[seq] ? [] : [`  before ${a[seq] ?? "(over)"}`, `  now    ${b[seq] ?? "(over)"}`];
}

function rowTexts(run: engine.Run): string[] {
  const rows: string[] = [];
  const sink = {
    put(block: engine.Block): void {
      for (let i = 0; i < block.n; i += 1) {
        const { site, thread, detail, ...numbers } = engine.transitionAt(block, i);
        const place = run.sites[site];
        const who = `${run.threads[thread]?.name} "${place?.flow}: ${place?.label}" (${place?.context}) "${run.texts[detail]}"`;
        rows.push(
          `${who} ${Object.entries(numbers)
            .map(([name, value]) => `${name} ${value}`)
            .join(" ")}`,
        );
      }
    },
  };
  run.run(DIGEST_ROWS, sink);
  run.flush(sink);
  return rows;
}
