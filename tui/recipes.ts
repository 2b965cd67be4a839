/** Questions that come up again and again, in SQL, with what their answer says. Used by the prompt of `eintr query` and by the replay. */

export interface Recipe {
  /** What it is called by. */
  readonly name: string;
  /** What the answer says. */
  readonly text: string;
  readonly sql: string;
}

/** Each transition with the time until the next one of its thread: that long it was there. */
const STRETCHES = "WITH t AS (SELECT thread, site, kind, lead(time) OVER (PARTITION BY thread ORDER BY seq) - time AS ns FROM transition)";

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
    text: "how long threads were in each layer, all together, ns, and how long they waited (looks at every transition)",
    sql: `${STRETCHES}, l AS (SELECT CASE k.name WHEN 'thread.block' THEN 'waits' ELSE s.layer END AS layer, sum(t.ns) AS time_ns FROM t JOIN site s ON s.id = t.site JOIN kind k ON k.id = t.kind GROUP BY 1) SELECT layer, time_ns, round(100.0 * time_ns / sum(time_ns) OVER (), 1) AS percent FROM l WHERE time_ns > 0 ORDER BY time_ns DESC`,
  },
  {
    name: "time-by-thread",
    text: "how long each thread was at work, and how long it waited, ns (looks at every transition)",
    sql: `${STRETCHES} SELECT h.name AS thread, sum(CASE k.name WHEN 'thread.block' THEN 0 ELSE t.ns END) AS busy_ns, sum(CASE k.name WHEN 'thread.block' THEN t.ns ELSE 0 END) AS waits_ns FROM t JOIN thread h ON h.id = t.thread JOIN kind k ON k.id = t.kind GROUP BY t.thread ORDER BY busy_ns DESC`,
  },
  {
    name: "time-by-call",
    text: "a profile: calls of the application by the time from call to return, waits and all, ns, with the longest of each",
    sql: "SELECT call, sum(time_ns) AS time_ns, sum(count) AS calls, max(longest_ns) AS longest_ns, max(longest_seq) AS longest_seq FROM call_totals GROUP BY call ORDER BY time_ns DESC",
  },
  {
    name: "exits-by-call",
    text: "exits of the enclave by the call in which they were: on purpose (EEXIT: ocalls and the like), asynchronous (AEX)",
    sql: "SELECT coalesce(s.call, '(no call)') AS call, count(*) AS exits, sum(x.left_how = 0) AS eexit, sum(x.left_how = 1) AS aex, count(DISTINCT x.call_seq) AS calls FROM (SELECT e.left_how, (SELECT CASE WHEN y.exit_seq IS NULL OR y.exit_seq >= e.left_seq THEN y.seq END FROM syscall y WHERE y.thread = e.thread AND y.seq <= e.left_seq ORDER BY y.seq DESC LIMIT 1) AS call_seq FROM entry e WHERE e.left_seq IS NOT NULL) x LEFT JOIN syscalls s ON s.seq = x.call_seq GROUP BY 1 ORDER BY exits DESC",
  },
  {
    name: "aex-by-signal",
    text: "asynchronous exits of the enclave (AEX) alone, by the signal that caused them",
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

/** The recipe of that name, or else the text itself, which is a statement then. No recipe is called like a word of SQL. */
export const recipeOr = (text: string): string => RECIPES.find(({ name }) => name === text.trim().replace(/;$/, ""))?.sql ?? text;
