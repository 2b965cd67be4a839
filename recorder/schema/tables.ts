/**
 * The tables of `trace.db`, defined here and nowhere else. The SQL with its comments, the types for kysely, the column positions of the
 * page writer and of the derived rows, and `eintr schema` all follow from this.
 */

import { COLUMN_NAMES, type ColumnName, type StateColumn } from "../../engine/index.ts";
import { COLUMN_MEANING, isStateColumn } from "../format/columns.ts";
import { blob, type Column, int, key, nullable, paged, type RowOf, seq, table, text } from "./column.ts";
import { OUTCOMES } from "./outcomes.ts";

/** Raised when a table or view changes: an older trace.db is rebuilt. Stored as `PRAGMA user_version`. */
export const SCHEMA_VERSION = 14;

const TRANSITION_REFERENCES: Partial<Record<ColumnName, string>> = {
  thread: "thread(id)",
  site: "site(id)",
  kind: "kind(id)",
  detail: "text(id)",
};
/** Columns of state may be NULL, for all transitions of a trace alike. */
const transitionColumns = Object.fromEntries(
  COLUMN_NAMES.map((name) => {
    const column = int(COLUMN_MEANING[name], TRANSITION_REFERENCES[name]);
    return [name, isStateColumn(name) ? nullable(column) : column];
  }),
) as { [C in ColumnName]: Column<"INTEGER", C extends StateColumn ? true : false> };

const ofThread = int("whose", "thread(id)");
const begun = int("when it began, ns since the run began");
const duration = nullable(int("how long, ns; NULL while open"));

export const TABLES = {
  run: table("how this trace was made; one row", {
    id: key(int("always 1")),
    format: int("format of transitions.arrow"),
    eintr: text("version that recorded it"),
    stack: text("stack of emulated parts, or where it was imported from"),
    fixes: text("JSON list of the fixes that were on"),
    options: text("JSON list of the options of the stack's manifest that were on"),
    scenario: text("name of the scenario"),
    scenario_text: text("the scenario itself"),
    seed: int("seed of the scheduler"),
    scheduler: text("who answered what the state leaves open"),
    origin: text("emulated or imported"),
    clock: text("which clock the times are of: virtual, monotonic or epoch; they begin at 0 all the same"),
    transitions: int("rows of transition"),
    threads: int("rows of thread"),
    time: int("time of the last transition, ns"),
    reason: text("why it ended: finished, aborted, row-limit, time-limit, killed"),
    complete: int("1 the recording was closed, 0 it was killed and what was flushed is here"),
    lost_bytes: int("bytes at the end of transitions.arrow that could not be used"),
    arrow_bytes: int("length of the transitions.arrow this database was made from"),
    digest: text("sha256 over columns, texts and threads: equal for equal runs"),
  }),
  thread: table("threads", {
    id: key(int("number in this trace")),
    name: text("name in the scenario"),
    pid: int("process"),
    tid: int("thread id"),
    internal: int("1 a helper of the LibOS that the application does not know"),
    count: int("its transitions"),
  }),
  site: table("places in the stack's code", {
    id: key(int("number in this trace")),
    flow: text("function"),
    step: int("position of the step in its function"),
    label: text("what the step does"),
    layer: text("app, libos, pal, untrusted-pal or host"),
    context: text("normal or signal"),
    source: text("section of the reference the function follows"),
  }),
  text: table("interned texts", { id: key(int("0 is the empty text")), text: text("the text") }),
  kind: table("sorts of transition", {
    id: key(int("number, the same in every trace")),
    name: text("name"),
    text: text("what happened"),
    value: text("meaning of transition.value, empty when unused"),
    extra: text("meaning of transition.extra, empty when unused"),
    count: int("transitions of this kind in this trace"),
  }),
  signal_name: table("names of signal numbers", {
    number: key(int("signal number")),
    name: text("name, e.g. SIGINT; SIGRT2 is 34"),
  }),
  error_name: table("names of the results by which calls fail", {
    number: key(int("result, e.g. -4")),
    name: text("name, e.g. -EINTR"),
  }),
  transition: paged("what happened, where, and what state it left; the view transitions has names", {
    seq: key(int("position in the trace, from 0, no gaps")),
    ...transitionColumns,
  }),
  keyframe: table("copies of the machine's state, to replay from", {
    seq: key(seq("the state after this transition")),
    state: blob("JSON text, zlib-deflated"),
  }),
  decision: table("choices the state does not determine, where not the default", {
    id: key(int("position in the list of decisions")),
    seq: int("transition during which it was made"),
    point: text("which kind of choice point"),
    choice: int("the answer"),
  }),
  syscall: paged("calls of the application, paired; the view syscalls has names", {
    seq: key(seq("the call (app.call)")),
    exit_seq: nullable(seq("its return (app.return); NULL when it never returned")),
    thread: ofThread,
    site: int("where it was made", "site(id)"),
    nr: int("number of the operation in its program"),
    time: begun,
    duration,
    result: nullable(int("result: >= 0 or a negative errno")),
    interrupted: int("1 a signal handler ran inside it"),
  }),
  call_total: table("calls of each place by what they returned, added up; the view call_totals has names", {
    site: key(int("where they were made", "site(id)")),
    error: key(int("negative errno; 0 they returned something else, 1 they never returned")),
    count: int("how many"),
    interrupted: int("of these, in how many a signal handler ran"),
    time: int("how long together, ns; 0 where they never returned"),
    longest: int("how long the longest, ns"),
    longest_seq: nullable(seq("the longest; NULL where they never returned")),
  }),
  signal: table("one row per signal: its road through the layers; the view signals has names", {
    id: key(int("number of the signal in this trace")),
    signal: int("signal number"),
    thread: int("target", "thread(id)"),
    generated: nullable(seq("made pending by the host kernel")),
    delivered: nullable(seq("host handler entered")),
    pended: nullable(seq("kept by the PAL for later")),
    upcall: nullable(seq("PAL called the LibOS")),
    decided: nullable(seq("LibOS decided: now, later, never")),
    appended: nullable(seq("put into a thread's ring")),
    fetched: nullable(seq("taken out of the ring")),
    handled: nullable(seq("application's handler entered")),
    ended: nullable(seq("its road ended here: handler left, ignored, lost, ...")),
    outcome: int(OUTCOMES.map(({ name, more }, value) => `${value} ${name} ${more}`.trimEnd()).join(", ")),
    time_generated: nullable(int("ns")),
    time_handled: nullable(int("ns")),
    delay: nullable(int("generated to handled, ns")),
  }),
  signal_total: table("signals of each number by what became of them, added up; the view signal_totals has names", {
    signal: key(int("signal number")),
    outcome: key(int("as in signal.outcome")),
    count: int("how many"),
    delayed: int("of these, how many have a delay"),
    delay: int("generated to handled, together, ns"),
    longest: nullable(int("the longest of these, ns; NULL where none has a delay")),
    longest_id: nullable(int("the signal that took so long", "signal(id)")),
  }),
  entry: paged("stays in the enclave", {
    seq: key(seq("EENTER or ERESUME")),
    thread: ofThread,
    how: int("0 EENTER with CSSA 0, 1 EENTER with CSSA > 0, 2 ERESUME"),
    left_seq: nullable(seq("EEXIT or AEX")),
    left_how: nullable(int("0 EEXIT, 1 AEX")),
    time: begun,
    duration,
  }),
  upcall: paged("calls of the PAL into the LibOS", {
    seq: key(seq("the upcall begins")),
    thread: ofThread,
    event: int("PAL event number"),
    return_seq: nullable(seq("it returns; NULL when it was left otherwise")),
    time: begun,
    duration,
  }),
  handler: paged("runs of the application's signal handlers", {
    seq: key(seq("the handler starts")),
    thread: ofThread,
    signal: int("signal number"),
    signal_id: int("row of signal, 0 unknown"),
    left_seq: nullable(seq("it returns or jumps away")),
    left_how: nullable(int("0 return, 1 longjmp")),
    time: begun,
    duration,
    context: int("context it started in: 0 normal, 1 signal"),
  }),
  analysis: table("rules that ran over this trace, and all they found; a rule that is not here never ran", {
    rule: key(text("id of the rule: see eintr explain")),
    findings: int("how many it found; 0 is an answer as well"),
    cost_ns: int("what they wasted together, ns"),
    omitted: int("how many of them are counted here only: after very many alike the rest is not in the table finding"),
  }),
  finding: table("what the analyzer found, each with its evidence; analysis has the totals", {
    id: key(int("position in the report of the last analysis; findings of rules that it did not run come after")),
    rule: text("id of the rule", "analysis(rule)"),
    severity: text("how bad"),
    title: text("in one line"),
    thread: nullable(int("whose", "thread(id)")),
    first_seq: seq("begins here"),
    last_seq: seq("ends here"),
    cost_ns: int("what it wasted, ns"),
    exits: int("enclave exits of its thread between its first and last transition"),
    fingerprint: text("the same for the same thing in other runs"),
  }),
  evidence: table("what a finding rests on", {
    finding: key(int("of which", "finding(id)")),
    position: key(int("order, from 0")),
    seq: seq("the transition"),
    caption: text("why it matters"),
    turn: int("1: here it went wrong"),
  }),
  outcome: table("the verdict: how the run, its processes and its threads ended, beside Linux alone; empty until it was compared", {
    id: key(int("0 the run, then its processes, then its threads")),
    subject: text("run, process or thread"),
    name: text("the stack, or the name of the process or thread"),
    thread: nullable(int("the thread, or the first one of the process", "thread(id)")),
    how: text("how it ended, in one word: exited, signal, assertion, stuck, going-on, ...; of a thread: exited, blocked, waiting, ..."),
    text: text("the same for people"),
    seq: nullable(seq("where it ended")),
    other: nullable(text("what it was compared with: a stack; NULL nothing")),
    other_how: nullable(text("how it ended there; NULL it is not there")),
    other_text: nullable(text("the same for people")),
    compared: int("of the run: calls and handlers that both have"),
    omitted: int("of the run: differences that are counted here only, so many there are"),
    beyond: int("of the run: all that lies beyond the end of one of the runs; the table difference has the first of it"),
    compared_seq: nullable(seq("of a thread: from here on the other run was too short to compare; NULL all was compared")),
  }),
  difference: table("what the application would have seen otherwise on Linux alone, causes before what follows from them", {
    id: key(int("causal order, from 1")),
    kind: text(
      "what differs: result, output, left, never-returns, call, handler, handler-place, handler-order, siginfo, mask, thread, thread-end, process-end",
    ),
    weight: text("differs; timing: what caused it came at another moment; cut: the run ended too early to say"),
    thread: text("name of the thread"),
    what: text("the call or handler"),
    seq: nullable(seq("the call or handler, or the end of a thread or process; NULL it does not happen here")),
    here: text("what is seen here"),
    result: nullable(int("result of the call here")),
    other_seq: nullable(int("the same in the run on Linux alone")),
    there: text("what is seen there"),
    other_result: nullable(int("result of the call there")),
    line: nullable(int("line of the strace log that the call comes from")),
    cause: int("1 the one that is told first: the first that differs and is not only a siginfo, a mask or -ENOSYS, if there is one"),
  }),
  count_by_kind: table("transitions by thread and kind", {
    thread: key(int("whose", "thread(id)")),
    kind: key(int("what", "kind(id)")),
    count: int("how many"),
  }),
  time_index: table("times of blocks of transitions: find a time's seq without an index on every row", {
    seq0: key(seq("first transition of the block")),
    rows: int("transitions in it"),
    time0: int("earliest time in it, ns"),
    time1: int("latest time in it, ns"),
  }),
  quality: table("what was odd in the input, counted", {
    name: key(text("what")),
    count: int("how often"),
    severity: text("info, notice, data-loss or error"),
    advice: text("what to do about it"),
  }),
};

export type TableName = keyof typeof TABLES;

/** A row of that table, as an object. */
export type Row<T extends TableName> = RowOf<(typeof TABLES)[T]["columns"]>;

export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

/** Names of a table's columns in order. */
export const columnNames = <T extends TableName>(name: T) => Object.keys(TABLES[name].columns) as (keyof Row<T> & string)[];

/** Position of each column in its table. */
export const positions = <T extends TableName>(name: T) =>
  Object.freeze(Object.fromEntries(columnNames(name).map((column, position) => [column, position]))) as Readonly<
    Record<keyof Row<T>, number>
  >;

/** Values of a row of integers that nothing is known of yet, in column order: NaN is NULL, where that is allowed. */
export const emptyRow = (name: TableName): readonly number[] =>
  Object.values<Column>(TABLES[name].columns).map((column) => (column.nullable ? Number.NaN : 0));
