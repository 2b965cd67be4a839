/** Hand-made rows in, rows of the derived tables out. */

import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { boot, STACK_NAMES, STATE_COLUMNS } from "../../engine/index.ts";
import { CARRIES_SIGNAL_ID, KINDS, type KindName, type Transition } from "../../engine/transition.ts";
import { DB_NAME, OUTCOME, type RecordOptions, record } from "../../recorder/index.ts";
import { scenario } from "../analyzer/support.ts";
import { rowsSource, syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

type Row = Partial<Transition> & { k: KindName };
const row = (k: KindName, given: Partial<Transition> = {}): Row => ({ k, ...given });

/** Record the rows (10 ns apart) and ask the database. */
/** The events of a PAL have numbers: Graphene's here. */
async function derive(rows: readonly Row[], sql: string, options: RecordOptions = {}): Promise<unknown[]> {
  const dir = fresh("derive.trace");
  await record(rowsSource(rows), dir, { ...testInfo(), stack: "graphene-linux" }, options);
  const db = new Sqlite(`${dir}/${DB_NAME}`, { readonly: true });
  try {
    expect(db.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
    expect(db.pragma("foreign_key_check")).toEqual([]);
    return db.prepare(sql).raw().all();
  } finally {
    db.close();
  }
}

describe("syscall", () => {
  const COLUMNS = "SELECT seq, exit_seq, thread, nr, duration, result, interrupted FROM syscall";

  test("pairs calls per thread, leaves open what never returned", async () => {
    const rows = [
      row("app.call", { thread: 0, value: 3 }),
      row("app.call", { thread: 1, value: 4 }),
      row("app.return", { thread: 0, value: -4 }),
      row("app.call", { thread: 0, value: 5 }),
      row("app.return", { thread: 1, value: 2 ** 40 }),
    ];
    expect(await derive(rows, COLUMNS)).toEqual([
      [0, 2, 0, 3, 20, -4, 0],
      [1, 4, 1, 4, 30, 2 ** 40, 0],
      [3, null, 0, 5, null, null, 0],
    ]);
  });

  test("calls of a handler nest inside the call it interrupted", async () => {
    const rows = [
      row("app.call", { value: 1, depth: 2 }),
      row("app.handler.enter", { signal: 2, extra: 1, depth: 5 }),
      row("app.call", { value: 9, depth: 6 }),
      row("app.return", { value: 0, depth: 5 }),
      row("app.handler.return", { signal: 2, extra: 1, depth: 2 }),
      row("app.return", { value: -4, depth: 1 }),
    ];
    expect(await derive(rows, COLUMNS)).toEqual([
      [0, 5, 0, 1, 50, -4, 1],
      [2, 3, 0, 9, 10, 0, 0],
    ]);
  });

  test("a call left by longjmp never returns and does not take the next call's return", async () => {
    const rows = [
      row("app.call", { value: 1, depth: 2 }),
      row("app.handler.enter", { signal: 2, extra: 1, depth: 5 }),
      row("app.handler.longjmp", { signal: 2, extra: 1, depth: 1 }),
      row("app.call", { value: 2, depth: 2 }),
      row("app.return", { value: 7, depth: 1 }),
      row("app.return", { value: 8, depth: 1 }),
    ];
    expect(await derive(rows, COLUMNS)).toEqual([
      [0, null, 0, 1, null, null, 1],
      [3, 4, 0, 2, 10, 7, 0],
    ]);
  });

  test("a stranger's rows that open calls without end take no more than their number", async () => {
    // A walk that searched what is open for each row would take minutes.
    const many = 60_000;
    const rows = [
      ...Array.from({ length: many }, () => row("app.call", { depth: 2 })),
      ...Array.from({ length: many }, () => row("app.handler.return", { depth: 2 })),
      ...Array.from({ length: many }, () => row("app.handler.longjmp", { depth: 3 })),
    ];
    expect(await derive(rows, "SELECT count(*) FROM syscall WHERE result IS NULL")).toEqual([[many]]);
  });

  test("odd ends are counted", async () => {
    const rows = [
      row("app.return"),
      row("app.handler.return"),
      row("libos.upcall.return"),
      row("sgx.eexit", { depth: 0 }),
      row("app.return"),
    ];
    expect(await derive(rows, "SELECT name, count, severity FROM quality ORDER BY name")).toEqual([
      ["enclave-left-unentered", 1, "notice"],
      ["handler-left-unentered", 1, "notice"],
      ["return-without-call", 2, "notice"],
      ["upcall-return-unentered", 1, "notice"],
    ]);
  });
});

test.each(STACK_NAMES)("a run of the engine on %s begins all that it ends: jumps, fork and execve as well", async (stack) => {
  const cases = [
    ...["w5-longjmp", "nested", "stop-flag"].map((name) => scenario(name)),
    scenario(`
      main: [{ fork: { program: child } }, { wait4: { child: child } }]
      programs: { child: [{ exec: {} }, getpid] }`),
  ];
  for (const one of cases) {
    const dir = fresh("engine.trace");
    await record(boot({ stack, scenario: one }), dir, { ...testInfo(), stack }, { rows: 20_000 });
    const db = new Sqlite(`${dir}/${DB_NAME}`, { readonly: true });
    const odd = db.prepare("SELECT name FROM quality WHERE name GLOB '*-unentered' OR name = 'return-without-call'").all();
    db.close();
    expect(odd, one.name).toEqual([]);
  }
});

test("entry: enter, asynchronous exit, entry for the exception, resume, exit", async () => {
  const rows = [
    row("sgx.eenter", { value: 0 }),
    row("sgx.aex", { value: -1, extra: 1 }),
    row("sgx.eenter", { value: 1 }),
    row("sgx.eexit", { value: 1 }),
    row("sgx.eresume"),
    row("step"),
    row("sgx.eexit"),
    row("sgx.eenter", { thread: 1 }),
  ];
  expect(await derive(rows, "SELECT seq, thread, how, left_seq, left_how, time, duration FROM entry")).toEqual([
    [0, 0, 0, 1, 1, 0, 10],
    [2, 0, 1, 3, 0, 20, 10],
    [4, 0, 2, 6, 0, 40, 20],
    [7, 1, 0, null, null, 70, null],
  ]);
});

test("upcall: nested ones pair; one whose frame is gone stays open", async () => {
  const rows = [
    row("libos.upcall.enter", { value: 5, extra: 1, depth: 4 }),
    row("libos.upcall.enter", { value: 6, extra: 2, depth: 7 }),
    row("libos.upcall.return", { value: 6, extra: 2, depth: 6 }),
    row("step", { depth: 5 }),
    row("step", { depth: 2 }),
    row("libos.upcall.enter", { value: 7, extra: 99, depth: 3 }),
    row("libos.upcall.return", { value: 7, extra: 99, depth: 2 }),
    row("libos.upcall.enter", { value: 3, extra: 3, depth: 3, thread: 2 }),
  ];
  expect(await derive(rows, "SELECT seq, thread, event, return_seq, duration FROM upcall")).toEqual([
    [0, 0, 5, null, null],
    [1, 0, 6, 2, 10],
    [5, 0, 7, 6, 10],
    [7, 2, 3, null, null],
  ]);
});

test("columns of state that a source does not have are NULL; without depths calls and handlers are paired all the same", async () => {
  const dir = fresh("absent.trace");
  const rows = [
    { k: "app.call", value: 1 },
    { k: "app.handler.enter", signal: 2, extra: 1 },
    { k: "app.call", value: 2 },
    { k: "app.return", value: 5 },
    { k: "app.handler.longjmp", signal: 2, extra: 1 },
    { k: "app.call", value: 3 },
    { k: "app.return", value: 7 },
  ] as const;
  const unknown = rows.map((row) => ({ ...row, depth: 0 }));
  await record({ ...rowsSource(unknown), absent: STATE_COLUMNS }, dir, testInfo());
  const db = new Sqlite(`${dir}/${DB_NAME}`, { readonly: true });
  expect(db.prepare("SELECT count(*), count(depth), count(cssa), count(preempt), count(pending) FROM transitions").raw().get()).toEqual([
    rows.length,
    0,
    0,
    0,
    0,
  ]);
  expect(db.prepare("SELECT nr, result, interrupted FROM syscall").raw().all()).toEqual([
    [1, null, 1],
    [2, 5, 0],
    [3, 7, 0],
  ]);
  expect(db.prepare("SELECT left_seq, left_how FROM handler").raw().all()).toEqual([[4, 1]]);
  db.close();
});

test("handler: return, and a longjmp out of two at once", async () => {
  const rows = [
    row("app.handler.enter", { signal: 2, extra: 1, depth: 3, site: 7 }),
    row("app.handler.return", { signal: 2, extra: 1, depth: 1 }),
    row("app.handler.enter", { signal: 10, extra: 2, depth: 3, site: 1 }),
    row("app.handler.enter", { signal: 12, extra: 3, depth: 6, site: 1 }),
    row("app.handler.longjmp", { signal: 12, extra: 3, depth: 1 }),
    row("app.handler.enter", { signal: 2, extra: 4, depth: 3, site: 1 }),
  ];
  const sql = "SELECT seq, signal, signal_id, left_seq, left_how, duration, context FROM handler";
  expect(await derive(rows, sql)).toEqual([
    [0, 2, 1, 1, 0, 10, 1],
    [2, 10, 2, 4, 1, 20, 0],
    [3, 12, 3, 4, 1, 10, 0],
    [5, 2, 4, null, null, null, 0],
  ]);
});

describe("signal", () => {
  const ROAD =
    "SELECT id, signal, thread, generated, delivered, pended, upcall, decided, appended, fetched, handled, ended, outcome, time_generated, time_handled, delay FROM signal";

  test("the whole road of a handled one", async () => {
    const s = { signal: 10, extra: 5 };
    const rows = [
      row("host.signal.generate", { ...s, value: 2 }),
      row("host.signal.deliver", { ...s, thread: 2, value: 1 }),
      row("pal.event.pend", { ...s, thread: 2, value: 5 }),
      row("pal.event.deliver", { ...s, thread: 2, value: 5 }),
      row("libos.upcall.enter", { ...s, thread: 2, value: 5 }),
      row("libos.signal.decide", { ...s, thread: 2 }),
      row("libos.signal.append", { ...s, thread: 2, value: 3 }),
      row("libos.signal.fetch", { ...s, thread: 3 }),
      row("app.handler.enter", { ...s, thread: 3 }),
      row("app.handler.return", { ...s, thread: 3 }),
      row("host.sigreturn", { ...s, thread: 3 }),
    ];
    expect(await derive(rows, ROAD)).toEqual([[5, 10, 3, 0, 1, 2, 4, 5, 6, 7, 8, 9, OUTCOME.handled, 0, 80, 80]]);
  });

  const ends: [string, Row[], number, number | null][] = [
    ["nothing more", [], OUTCOME.pending, null],
    ["ignored by the LibOS", [row("libos.signal.ignore")], OUTCOME.ignored, 1],
    ["ignored by the host", [row("host.signal.discard", { value: 0 })], OUTCOME.ignored, 1],
    ["coalesced", [row("host.signal.discard", { value: 1 })], OUTCOME.coalesced, 1],
    ["taken by the program", [row("signal.take", {})], OUTCOME.taken, 1],
    ["cleared by SIGCONT or a stop signal", [row("host.signal.discard", { value: 4 })], OUTCOME.cleared, 1],
    ["target gone", [row("host.signal.discard", { value: 2 })], OUTCOME.lost, 1],
    ["ring full", [row("libos.signal.drop")], OUTCOME.dropped, 1],
    ["lost in the LibOS", [row("libos.signal.lost", { value: 1 })], OUTCOME.lost, 1],
    ["lost in the PAL", [row("pal.event.lost", { value: 5 })], OUTCOME.lost, 1],
    ["killed", [row("libos.signal.kill")], OUTCOME.killed, 1],
    ["the host's default action", [row("host.signal.default", { value: 1 })], OUTCOME["host default"], 1],
    ["a RESUME that ended a wait (A22)", [row("pal.event.deliver", { value: 6 })], OUTCOME.consumed, 1],
    [
      "a RESUME that was kept, and no upcall",
      [row("pal.event.deliver", { value: 6 }), row("pal.event.lost", { value: 6 })],
      OUTCOME.lost,
      2,
    ],
    ["another event that was kept", [row("pal.event.deliver", { value: 5 })], OUTCOME.pending, null],
    ["a RESUME upcall", [row("libos.upcall.enter", { value: 6 })], OUTCOME.consumed, 1],
    ["a RESUME upcall, then a handler", [row("libos.upcall.enter", { value: 6 }), row("app.handler.enter")], OUTCOME.handled, null],
    ["a handler, left by longjmp", [row("app.handler.enter"), row("app.handler.longjmp")], OUTCOME.handled, 2],
    ["lost, then mentioned again", [row("libos.signal.lost"), row("libos.signal.kill")], OUTCOME.lost, 1],
    ["a FAILURE upcall with the same number in extra", [row("libos.upcall.enter", { value: 7 })], OUTCOME.pending, null],
  ];
  test.each(ends)("%s", async (_, rows, outcome, ended) => {
    const all = [row("host.signal.generate", { value: 0 }), ...rows].map((r) => ({ ...r, signal: 2, extra: 1 }));
    expect(await derive(all, "SELECT outcome, ended FROM signal")).toEqual([[outcome, ended]]);
  });

  test("an overwritten event: the old signal is lost, the new one goes on", async () => {
    const rows = [
      row("pal.event.inject", { signal: 2, value: 5, extra: 1 }),
      row("pal.event.overwrite", { signal: 15, value: 1, extra: 2 }),
    ];
    expect(await derive(rows, "SELECT id, signal, pended, ended, outcome FROM signal")).toEqual([
      [1, 2, 0, 1, OUTCOME.lost],
      [2, 15, 1, null, OUTCOME.pending],
    ]);
  });

  test("facts that come after a row was let go are merged into it", async () => {
    // More than five blocks of other rows lie between the RESUME and the handler.
    const s = { signal: 2, extra: 1 };
    const idle = Array.from({ length: 110_000 }, () => row("step"));
    const rows = [
      row("host.signal.generate", s),
      row("libos.upcall.enter", { ...s, value: 6 }),
      ...idle,
      row("app.handler.enter", s),
      row("app.handler.return", s),
    ];
    expect(await derive(rows, "SELECT generated, upcall, handled, outcome, delay, ended FROM signal")).toEqual([
      [0, 1, 110_002, OUTCOME.handled, 1_100_020, 110_003],
    ]);
  });

  test("every kind that carries a signal id is followed", async () => {
    const carrying = KINDS.filter((_, id) => CARRIES_SIGNAL_ID[id] === 1).map((kind) => kind.name);
    // The vocabulary says so in words: no kind names a signal id in its extra without being one.
    expect(carrying).toEqual(KINDS.filter((kind) => kind.extra.includes("signal id")).map((kind) => kind.name));
    const rows = carrying.map((name, i) => row(name, { extra: i + 1, signal: 1 }));
    expect(await derive(rows, "SELECT count(*) FROM signal")).toEqual([[carrying.length]]);
  });
});

test("counts and the time index agree with the rows", async () => {
  const dir = fresh("sums.trace");
  await record(syntheticSource({ rows: 40_000, seed: 7 }), dir, testInfo());
  const db = new Sqlite(`${dir}/${DB_NAME}`, { readonly: true });
  const same = (a: string, b: string) => expect(db.prepare(a).all()).toEqual(db.prepare(b).all());
  same("SELECT thread, kind, count FROM count_by_kind", "SELECT thread, kind, count(*) AS count FROM transition GROUP BY 1, 2");
  same(
    "SELECT * FROM time_index",
    "SELECT min(seq) AS seq0, count(*) AS rows, min(time) AS time0, max(time) AS time1 FROM transition GROUP BY seq / 16384",
  );
  same("SELECT count(*) AS n FROM syscall", "SELECT count(*) AS n FROM transitions WHERE kind = 'app.call'");
  same("SELECT count(*) AS n FROM handler", "SELECT count(*) AS n FROM transitions WHERE kind = 'app.handler.enter'");
  same("SELECT count(*) AS n FROM signal", "SELECT count(DISTINCT extra) AS n FROM transitions WHERE kind = 'host.signal.generate'");
  same("SELECT id, count FROM kind WHERE count > 0", "SELECT kind AS id, count(*) AS count FROM transition NOT INDEXED GROUP BY kind");
  same("SELECT id, count FROM thread WHERE count > 0", "SELECT thread AS id, count(*) AS count FROM transition GROUP BY thread");
  same(
    "SELECT site, error, count, interrupted, time, longest FROM call_total",
    `SELECT site, CASE WHEN exit_seq IS NULL THEN 1 WHEN result BETWEEN -4095 AND -1 THEN result ELSE 0 END AS error, count(*) AS count,
      sum(interrupted) AS interrupted, ifnull(sum(duration), 0) AS time, ifnull(max(duration), 0) AS longest
      FROM syscall GROUP BY 1, 2`,
  );
  same(
    "SELECT count(*) AS n FROM call_total",
    "SELECT count(*) AS n FROM call_total c LEFT JOIN syscall s ON s.seq = c.longest_seq WHERE s.duration = c.longest OR c.error = 1",
  );
  same(
    "SELECT signal, outcome, count, delayed, delay, longest FROM signal_total",
    `SELECT signal, outcome, count(*) AS count, count(delay) AS delayed, ifnull(sum(delay), 0) AS delay, max(delay) AS longest
      FROM signal GROUP BY 1, 2`,
  );
  same(
    "SELECT longest FROM signal_total WHERE delayed > 0",
    "SELECT g.delay AS longest FROM signal_total t JOIN signal g ON g.id = t.longest_id ORDER BY t.signal, t.outcome",
  );
  db.close();
});

test("call totals: a call that a handler interrupts, one that fails, one that never returns", async () => {
  const rows = [
    row("app.call", { value: 1, depth: 2 }),
    row("app.handler.enter", { signal: 2, extra: 1, depth: 5 }),
    row("app.handler.return", { signal: 2, extra: 1, depth: 2 }),
    row("app.return", { value: -4, depth: 1 }),
    row("app.call", { value: 1, depth: 2 }),
    row("app.return", { value: -4, depth: 1 }),
    row("app.call", { value: 1, depth: 2 }),
    row("app.return", { value: -5000, depth: 1 }),
    row("app.call", { value: 1, depth: 2 }),
    row("app.handler.enter", { signal: 2, extra: 2, depth: 5 }),
  ];
  expect(await derive(rows, "SELECT error, count, interrupted, time, longest, longest_seq FROM call_total ORDER BY error")).toEqual([
    [-4, 2, 1, 40, 30, 0],
    [0, 1, 0, 10, 10, 6],
    [1, 1, 1, 0, 0, null],
  ]);
});
