/** Questions that come up again and again, in SQL, with what their answer says. Used by the prompt of `eintr query` and by the replay. */

export interface Recipe {
  /** What it is called by. */
  readonly name: string;
  /** What the answer says. */
  readonly text: string;
  readonly sql: string;
}

export const RECIPES: readonly Recipe[] = [
  {
    name: "lost-signals",
    text: "signals that no handler saw, and what became of them",
    sql: "SELECT generated AS seq, signal, thread, outcome, ended AS ended_seq FROM signals WHERE outcome IN ('coalesced', 'dropped', 'lost', 'pending', 'killed') ORDER BY seq",
  },
  {
    name: "delays",
    text: "from the kernel to the handler, by signal: half of them, 99 of 100, and the longest, in ns",
    sql: "WITH d AS (SELECT signal, delay_ns, cume_dist() OVER (PARTITION BY signal ORDER BY delay_ns) AS share FROM signals WHERE delay_ns IS NOT NULL) SELECT signal, count(*) AS signals, min(CASE WHEN share >= 0.5 THEN delay_ns END) AS p50_ns, min(CASE WHEN share >= 0.99 THEN delay_ns END) AS p99_ns, max(delay_ns) AS longest_ns FROM d GROUP BY signal ORDER BY longest_ns DESC",
  },
  {
    name: "outcomes",
    text: "what became of the signals, counted",
    sql: "SELECT outcome, sum(count) AS signals FROM signal_totals GROUP BY outcome ORDER BY signals DESC",
  },
  {
    name: "time-by-layer",
    text: "how long threads were in each layer, ns; waits are the host's (looks at every transition: long traces take their time)",
    sql: "WITH t AS (SELECT site, lead(time) OVER (PARTITION BY thread ORDER BY seq) - time AS ns FROM transition) SELECT s.layer, sum(t.ns) AS time_ns FROM t JOIN site s ON s.id = t.site GROUP BY s.layer ORDER BY time_ns DESC",
  },
  {
    name: "time-by-call",
    text: "calls of the application by the time they took together, ns, with the longest of each",
    sql: "SELECT call, sum(time_ns) AS time_ns, sum(count) AS calls, max(longest_ns) AS longest_ns, max(longest_seq) AS longest_seq FROM call_totals GROUP BY call ORDER BY time_ns DESC",
  },
  {
    name: "exits-by-signal",
    text: "asynchronous exits of the enclave by the signal that caused them",
    sql: "SELECT coalesce(signal, 'none') AS signal, count(*) AS exits FROM transitions WHERE kind = 'sgx.aex' GROUP BY signal ORDER BY exits DESC",
  },
  {
    name: "other-results",
    text: "calls that return something else than on Linux alone",
    sql: "SELECT exit_seq AS seq, thread, call, result, native FROM syscalls WHERE native IS NOT NULL AND result IS NOT native ORDER BY seq",
  },
  {
    name: "interrupted",
    text: "calls in which a handler ran, and how they ended",
    sql: "SELECT seq, exit_seq, thread, call, result, duration_ns FROM syscalls WHERE interrupted = 1 ORDER BY seq",
  },
  {
    name: "busy-threads",
    text: "transitions by thread",
    sql: "SELECT name AS thread, count AS transitions FROM thread ORDER BY count DESC",
  },
];
