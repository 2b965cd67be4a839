/** The pass over the blocks: the same findings however the rows are cut, fingerprints, bounds, order, stopping. */

import { describe, expect, it } from "vitest";
import { type Analyzable, analyze, createAnalysis, RULES } from "../../analyzer/catalogue.ts";
import {
  type AnalysisResult,
  atLeast,
  type Finding,
  type Handlers,
  MAX_FINDINGS_PER_FINGERPRINT,
  type Rule,
} from "../../analyzer/index.ts";
import { BLOCK_ROWS, KIND, type KindName, newBlock } from "../../engine/index.ts";
import { analyzeRows, LOST, madeUp, watch, YIELD } from "./support.ts";

const FIRST = RULES[0] as Rule;

const here = (...seqs: number[]) => seqs.map((seq) => ({ seq, id: "here", caption: "here" }));

/** A rule that reports every row it is shown. */
const everyRow = (id: string, kinds: readonly KindName[], same: readonly (string | number)[] = ["it"]): Rule => ({
  ...FIRST,
  id,
  start(m, found) {
    const tell = () =>
      found({ thread: m.thread, costNs: 1, same, firstSeq: m.seq, lastSeq: m.seq, report: () => ({ title: id, evidence: here(m.seq) }) });
    return Object.fromEntries(kinds.map((kind) => [kind, tell]));
  },
});

/** A rule that reports each row of a place. */
const eachAt = (id: string, place: `at ${string}: ${string}`): Rule => ({
  ...FIRST,
  id,
  start: (m, found) => ({
    [place]: () =>
      found({
        thread: m.thread,
        costNs: 1,
        same: [id],
        firstSeq: m.seq,
        lastSeq: m.seq,
        report: () => ({ title: id, evidence: here(m.seq) }),
      }),
  }),
});

const fingerprints = (found: AnalysisResult): string[] => [...new Set(found.findings.map((f) => f.fingerprint))].sort();

describe("block boundaries", () => {
  it.each([1, 7, 100, BLOCK_ROWS])("blocks of %i rows give the same findings", (size) => {
    for (const [name, stack] of [
      ["lost-interrupted-error", "graphene-sgx"],
      ["spurious-yield", "graphene-linux"],
      ["w9-accept-sigchld", "graphene-sgx"],
      ["server", "graphene-sgx"],
    ] as const) {
      const w = watch(name, stack, { rows: 30_000 });
      expect(w.findings.length).toBeGreaterThan(0);
      const { findings, groups, omitted, omittedCostNs, ran } = w;
      expect(analyzeRows(w.rows, w.run, size)).toEqual({ findings, groups, omitted, omittedCostNs, ran });
    }
  });
});

describe("places", () => {
  const PLACE = "deliver_signal: tcb.context.preempt + 1  < __disable_preempt() >";

  it("a rule is shown each row of its place, and no other; steps as well, which no model needs", () => {
    const rules = [
      eachAt("there", `at ${PLACE}`),
      eachAt("nowhere", "at deliver_signal: no such step"),
      everyRow("kind", ["libos.signal.decide"]),
    ];
    const w = watch("nested", "graphene-linux", { rules });
    const seqs = (id: string): number[] => w.findings.filter(({ rule }) => rule === id).map(({ firstSeq }) => firstSeq);
    const rowsThere = w.rows.filter(({ at }) => `${at.flow}: ${at.label}` === PLACE);
    expect(rowsThere.length).toBeGreaterThan(0);
    expect(new Set(rowsThere.map(({ name }) => name))).toEqual(new Set(["step"]));
    expect(seqs("there")).toEqual(rowsThere.map(({ seq }) => seq));
    expect(seqs("nowhere")).toEqual([]);
    expect(seqs("kind").length).toBeGreaterThan(0);
    expect(analyzeRows(w.rows, w.run, 7, rules).findings).toEqual(w.findings);
  });
});

describe("fingerprints", () => {
  const interrupted = (before: string, call: string, signal: string): AnalysisResult =>
    watch(
      `
      main:
        - sigaction: { signal: ${signal}, handler: on-signal }
        - compute: ${before}
        - ${call}
      handlers:
        on-signal:
          - compute: ${before}
      signals:
        - signal: ${signal}
          when: { thread: main, call: 2 }
      `,
      "graphene-sgx",
    );
  const READ = "read: { from: pipe, bytes: 8 }";

  it("stay the same when times, seqs and schedules differ", () => {
    const first = interrupted("1us", READ, "SIGINT");
    const later = interrupted("7ms", READ, "SIGINT");
    expect(first.findings).toHaveLength(1);
    expect(later.findings[0]?.firstSeq).toBe(first.findings[0]?.firstSeq);
    expect(fingerprints(later)).toEqual(fingerprints(first));
    for (const seed of [1, 2, 3]) {
      const other = watch("lost-interrupted-error", "graphene-sgx", { seed, scheduler: "seeded" });
      expect(fingerprints(other), `seed ${seed}`).toEqual(fingerprints(first));
    }
  });

  it("differ with the call, the signal, the result and the rule", () => {
    const all = [
      interrupted("1us", READ, "SIGINT"),
      interrupted("1us", READ, "SIGTERM"),
      interrupted("1us", "accept: { on: listener }", "SIGINT"),
      watch("w1-read-stale", "graphene-sgx"),
      watch("spurious-yield", "graphene-sgx"),
    ].flatMap(fingerprints);
    // One lost code each, two yields in the last, and one in accept, whose lock puts the handler off into the ring.
    expect(all).toHaveLength(7);
    expect(new Set(all).size).toBe(7);
  });

  it("are few in a long run", () => {
    const w = watch("server", "graphene-sgx", { rows: 60_000 });
    const kinds = new Set(w.findings.map((f) => f.title));
    expect(w.findings.length).toBeGreaterThan(2 * fingerprints(w).length);
    expect(fingerprints(w).length).toBeLessThanOrEqual(kinds.size);
  });
});

describe("a run with a great many of the same finding", () => {
  const OVER = 25;

  it("keeps the first of each fingerprint and counts the rest", () => {
    const w = watch(
      `
      main:
        - sigaction: { signal: SIGUSR1, handler: on-usr1 }
        - loop:
            times: ${MAX_FINDINGS_PER_FINGERPRINT + OVER}
            do:
              - sigprocmask: { how: block, signals: [SIGUSR1] }
              - tgkill: { thread: self, signal: SIGUSR1 }
              - sigprocmask: { how: unblock, signals: [SIGUSR1] }
        - sigaction: { signal: SIGUSR2, handler: on-usr1 }
        - sigprocmask: { how: block, signals: [SIGUSR2] }
        - tgkill: { thread: self, signal: SIGUSR2 }
        - sigprocmask: { how: unblock, signals: [SIGUSR2] }
      handlers:
        on-usr1:
          - compute: 1us
      `,
      "graphene-linux",
      { rows: 400_000 },
    );
    const usr1 = w.findings.filter((f) => f.title.endsWith("SIGUSR1"));
    expect(usr1).toHaveLength(MAX_FINDINGS_PER_FINGERPRINT);
    expect(w.findings).toHaveLength(MAX_FINDINGS_PER_FINGERPRINT + 1);
    expect([...w.omitted]).toEqual([[usr1[0]?.fingerprint, OVER]]);
    // Each yield costs the same here, so what is not kept is known by its cost.
    const one = usr1[0]?.costNs ?? 0;
    expect(one).toBeGreaterThan(0);
    expect([...w.omittedCostNs]).toEqual([[usr1[0]?.fingerprint, OVER * one]]);
    const all = MAX_FINDINGS_PER_FINGERPRINT + OVER + 1;
    const nothing = { findings: 0, costNs: 0, omitted: 0 };
    expect(w.ran).toEqual([
      { rule: YIELD, findings: all, costNs: all * one, omitted: OVER },
      { rule: LOST, ...nothing },
    ]);
    const last = usr1.at(-1)?.lastSeq ?? 0;
    expect(w.findings.at(-1)?.firstSeq).toBeGreaterThan(last);
  });
});

describe("the driver", () => {
  const ROWS = madeUp([{ name: "step" }, { name: "lock" }, { name: "unlock" }, { name: "lock" }, { name: "step" }]);
  const { run } = watch("initialisation", "graphene-linux");

  it("shows a rule only the kinds it names, and many rules the same row", () => {
    const found = analyzeRows(ROWS, run, 2, [everyRow("locks", ["lock"]), everyRow("both", ["lock", "unlock"])]);
    expect(found.findings.map((f) => [f.rule, f.firstSeq])).toEqual([
      ["locks", 1],
      ["both", 1],
      ["both", 2],
      ["locks", 3],
      ["both", 3],
    ]);
  });

  it("sorts by the first transition, then the last", () => {
    const spans: Rule = {
      ...FIRST,
      start: (_, found) => ({
        "trace.end"() {
          for (const seqs of [
            [3, 4],
            [1, 9],
            [1, 2],
          ])
            found({
              thread: 0,
              costNs: 1,
              same: [],
              firstSeq: seqs[0] ?? 0,
              lastSeq: seqs[1] ?? 0,
              report: () => ({ title: "t", evidence: here(...seqs) }),
            });
        },
      }),
    };
    const found = analyzeRows([], run, 4, [spans]);
    expect(found.findings.map((f) => [f.firstSeq, f.lastSeq])).toEqual([
      [1, 2],
      [1, 9],
      [3, 4],
    ]);
  });

  it("refuses a finding without evidence", () => {
    const empty: Rule = {
      ...FIRST,
      start: (_, found) => ({
        lock: () =>
          found({
            thread: 0,
            costNs: 0,
            same: [],
            firstSeq: Number.POSITIVE_INFINITY,
            lastSeq: -1,
            report: () => ({ title: "t", evidence: [] }),
          }),
      }),
    };
    expect(() => analyzeRows(ROWS, run, 5, [empty])).toThrow("a finding without evidence");
  });

  it("refuses a rule that listens to what does not exist", () => {
    const listens = { "app.dance": () => {} };
    const odd: Rule = { ...FIRST, start: () => listens as Handlers };
    expect(() => analyzeRows(ROWS, run, 5, [odd])).toThrow('no kind and no end of a scope is called "app.dance"');
  });

  it("runs only the rules it is given", () => {
    const rules = RULES.filter((rule) => rule.id === YIELD);
    expect(watch("w9-accept-sigchld", "graphene-sgx", { rules }).findings.map((f) => f.rule)).toEqual([YIELD]);
    expect(watch("w9-accept-sigchld", "graphene-sgx", { rules }).ran.map((run) => [run.rule, run.findings])).toEqual([[YIELD, 1]]);
    expect(watch("w9-accept-sigchld", "graphene-sgx", { rules: [] }).findings).toEqual([]);
  });

  it("starts each analysis afresh", () => {
    const w = watch("lost-interrupted-error", "graphene-sgx");
    const once = (): Finding[] => analyzeRows(w.rows, w.run, 64).findings;
    expect(once()).toEqual(once());
    expect(createAnalysis(w.run).finish()).toEqual({
      findings: [],
      groups: [],
      omitted: new Map(),
      omittedCostNs: new Map(),
      ran: RULES.map((rule) => ({ rule: rule.id, findings: 0, costNs: 0, omitted: 0 })),
    });
  });
});

describe("a recorded trace", () => {
  const { run } = watch("initialisation", "graphene-linux");
  const locks = everyRow("locks", ["lock"]);

  /** Blocks of ten rows, the first of each a lock. */
  function traceOf(blocks: number): Analyzable {
    function* rows(): Generator<ReturnType<typeof newBlock>> {
      for (let i = 0; i < blocks; i += 1) {
        const block = { ...newBlock(10), seq0: 10 * i, n: 10 };
        block.kind[0] = KIND.lock;
        yield block;
      }
    }
    return { sites: run.sites, threads: run.threads, texts: run.texts, rows };
  }

  it("is analyzed as a running source is, and reports its progress after each block", async () => {
    const seen: number[] = [];
    const result = await analyze(traceOf(3), { rules: [locks], onProgress: (rows) => seen.push(rows) });
    expect(result?.findings.map((finding) => finding.firstSeq)).toEqual([0, 10, 20]);
    const analysis = createAnalysis(traceOf(3), [locks]);
    for (const block of traceOf(3).rows()) analysis.put(block);
    expect(result).toEqual(analysis.finish());
    expect(seen).toEqual([10, 20, 30]);
  });

  it("lets signals and timers in, and stops where it is told to", async () => {
    const stop = new AbortController();
    let rows = 0;
    // What a Ctrl-C is to the process: it comes from the event loop, not from the analysis.
    setTimeout(() => stop.abort(), 5);
    const result = await analyze(traceOf(1e6), {
      rules: [locks],
      signal: stop.signal,
      onProgress: (done) => {
        rows = done;
      },
    });
    expect(result).toBeNull();
    expect(rows).toBeGreaterThan(0);
    expect(rows).toBeLessThan(1e7);
  });
});

describe("severities", () => {
  it("are ordered", () => {
    expect(atLeast("high", "medium")).toBe(true);
    expect(atLeast("medium", "medium")).toBe(true);
    expect(atLeast("info", "low")).toBe(false);
    expect(atLeast("critical", "high")).toBe(true);
  });
});
