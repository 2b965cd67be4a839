/** Listeners that are called for some rows only: when, and that no finding of any rule depends on it. */

import { describe, expect, it } from "vitest";
import { RULES } from "../../analyzer/catalogue.ts";
import type { Handlers, MadeRow, Names, Rule } from "../../analyzer/index.ts";
import { NONE, only, SCOPE, type ThreadModel } from "../../analyzer/model/index.ts";
import type { StackName } from "../../engine/index.ts";
import { analyzeRows, madeUp, watch } from "./support.ts";

const FIRST = RULES[0] as Rule;

const SITES = ["read(pipe, 8)", "alarm(1000000000)"].map(
  (label) => ({ flow: "main", label, layer: "app", context: "normal", step: 0, source: "" }) as const,
);
const names: Names = {
  sites: SITES,
  threads: [0, 1].map((thread) => ({ tid: thread, pid: 1, name: `thread ${thread}`, internal: false })),
  texts: ["", "libc", "list"],
};

/** Seqs of the rows for which listeners of a rule were called: one listener may be told of several kinds. */
function heard(rows: readonly MadeRow[], listen: (m: ThreadModel, hear: () => void) => Handlers): number[] {
  const seqs: number[] = [];
  const rule: Rule = { ...FIRST, generations: ["any"], start: (m) => listen(m, () => seqs.push(m.seq)) };
  for (const size of [1, rows.length]) {
    seqs.length = 0;
    analyzeRows(madeUp(rows), names, size, [rule]);
  }
  return seqs;
}

const YIELDS: MadeRow = { name: "thread.yield" };

describe("whileAny", () => {
  it("of notes on threads: from the row after the note to the row that removes the last one", () => {
    const rows: MadeRow[] = [
      YIELDS,
      { name: "lock.busy" },
      YIELDS,
      { name: "lock.busy", thread: 1 },
      { name: "lock" },
      YIELDS,
      { name: "lock", thread: 1 },
      YIELDS,
      { name: "lock.busy" },
      YIELDS,
    ];
    const seqs = heard(rows, (m, hear) => {
      const waits = m.notesOnThreads<true>();
      return {
        "lock.busy": () => waits.set(m.slot, true),
        "thread.yield": waits.whileAny(hear),
        lock: waits.whileAny(() => {
          hear();
          waits.remove(m.slot);
        }),
      };
    });
    expect(seqs).toEqual([2, 4, 5, 6, 9]);
  });

  it("of a thread that ends: its last row is heard yet", () => {
    const rows: MadeRow[] = [{ name: "lock.busy", thread: 1 }, YIELDS, { name: "thread.exit", thread: 1 }, YIELDS];
    const seqs = heard(rows, (m, hear) => {
      const waits = m.notesOnThreads<true>();
      const listener = waits.whileAny(hear);
      return { "lock.busy": () => waits.set(m.slot, true), "thread.yield": listener, "thread.exit": listener };
    });
    expect(seqs).toEqual([1, 2]);
  });

  it("of notes on scopes: the row that ends the scope is heard, and reads the note", () => {
    const call: MadeRow[] = [{ name: "app.call", depth: 1 }, YIELDS, { name: "app.return" }, YIELDS];
    const seqs = heard([...call, ...call], (m, hear) => {
      const calls = m.notesOnScopes<number>();
      return {
        // Only of the second call.
        "app.call": () => m.seq === 4 && calls.set(m.open(SCOPE.CALL), m.seq),
        "thread.yield": calls.whileAny(hear),
        "call.end": calls.whileAny(() => calls.get(m.closed) === 4 && hear()),
        "app.return": calls.whileAny(() => {
          hear();
          calls.remove(m.closed);
        }),
      };
    });
    expect(seqs).toEqual([5, 6, 6]);
  });

  it("of maps, and of one within another", () => {
    const rows: MadeRow[] = [YIELDS, { name: "lock", value: 1 }, { name: "lock", value: 2 }, YIELDS, { name: "unlock" }, YIELDS];
    const listen = (m: ThreadModel, hear: () => void): Handlers => {
      const [taken, seen] = [m.map<number, number>(), m.map<number, true>()];
      return {
        lock() {
          taken.set(m.value, m.seq);
          seen.set(m.value, true);
        },
        unlock() {
          taken.delete(1);
          taken.delete(2);
          taken.delete(3);
          seen.clear();
        },
        "thread.yield": taken.whileAny(seen.whileAny(hear)),
      };
    };
    expect(heard(rows, listen)).toEqual([3]);
    expect(heard([...rows, ...rows], listen)).toEqual([3, 9]);
  });
});

describe("only", () => {
  const rows: MadeRow[] = [
    { name: "app.call", site: 0, depth: 1 },
    { name: "thread.block", site: 0, depth: 1 },
    { name: "app.return", site: 0 },
    { name: "app.call", site: 1, depth: 1 },
    { name: "thread.block", site: 0, depth: 1 },
    { name: "app.return", site: 0 },
    { name: "thread.block" },
    // A place that the trace does not name.
    { name: "app.call", site: 9, depth: 1 },
    { name: "app.return", site: 9 },
  ];

  it.each(["app.call", "app.return", "call.end", "thread.block"] as const)("%s: by the application's call", (kind) => {
    const ofAlarm = heard(rows, (_, hear) => ({ [kind]: only((label) => label.startsWith("alarm"), hear) }));
    expect(ofAlarm).toEqual([{ "app.call": 3, "app.return": 5, "call.end": 5, "thread.block": 4 }[kind]]);
  });

  it("what has no name has an empty one", () => {
    expect(heard(rows, (_, hear) => ({ "app.call": only((label, flow) => label === "" && flow === "", hear) }))).toEqual([7]);
    expect(heard(rows, (_, hear) => ({ "thread.block": only((label) => label === "", hear) }))).toEqual([6]);
  });

  it("locks: by their text, beside a listener that hears of all", () => {
    const locks = [1, 2, 0, 1].map((detail): MadeRow => ({ name: "lock", value: NONE, detail }));
    expect(heard(locks, (_, hear) => ({ lock: only((text) => text === "libc", hear) }))).toEqual([0, 3]);
    const both = only(
      (text) => text.startsWith("li"),
      only(
        (text) => text.endsWith("st"),
        () => {},
      ),
    );
    expect(both.isAbout?.("list", "") === true && both.isAbout("libc", "") === false).toBe(true);
  });
});

/** The rules with all their gates open: what is called more often must find the same. */
const OPEN: readonly Rule[] = RULES.map((rule) => ({
  ...rule,
  start: (m, found) =>
    Object.fromEntries(
      Object.entries(rule.start(m, found)).map(([name, listener]) => [
        name,
        typeof listener === "object" ? { ...listener, gates: [] } : listener,
      ]),
    ),
}));

describe("a gate changes no finding", () => {
  it.each([
    ["server", "native-linux"],
    ["server", "graphene-linux"],
    ["server", "graphene-sgx"],
    ["server", "graphene-pr347"],
    ["server", "gramine-sgx"],
    ["lost-interrupted-error", "graphene-sgx"],
    ["stop-flag", "gramine-linux"],
    ["w9-accept-sigchld", "graphene-sgx"],
  ] as const satisfies readonly (readonly [string, StackName])[])("%s on %s", (scenario, stack) => {
    const w = watch(scenario, stack, { rules: RULES, rows: 15_000 });
    expect(analyzeRows(w.rows, w.run, 512, OPEN).findings).toEqual(w.findings);
  });
});
