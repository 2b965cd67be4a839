/**
 * The tables of `trace.db` as data. The SQL (with its comments), `eintr schema` and the column order of the page
 * writer derive from it; `database.ts` has the same as types, and a test compares the two.
 */

import { COLUMN_NAMES } from "../../engine/index.ts";
import { COLUMN_MEANING } from "../format/metadata.ts";
import { OUTCOMES } from "./outcomes.ts";

/** Raised when a table changes: an older trace.db is rebuilt. Stored as `PRAGMA user_version`. */
export const SCHEMA_VERSION = 5;

export interface ColumnEntry {
  readonly name: string;
  readonly type: "INTEGER" | "TEXT" | "BLOB";
  readonly meaning: string;
  readonly nullable: boolean;
  readonly key: boolean;
  /** `table(column)` it points to. */
  readonly references: string | null;
}

export interface TableEntry {
  readonly name: string;
  readonly meaning: string;
  readonly columns: readonly ColumnEntry[];
  /** Filled by the page writer: integers only, in the order of its key. */
  readonly paged: boolean;
}

export interface ViewEntry {
  readonly name: string;
  readonly meaning: string;
  readonly select: string;
}

/**
 * Column shorthand: `name`, then words: `?` nullable, `key`, `text`, `blob`, `-> table(column)`; then the meaning.
 * `column("exit_seq ? -> transition(seq)", "...")`.
 */
function column(form: string, meaning: string): ColumnEntry {
  const [left = "", references = null] = form.split(" -> ");
  const [name = "", ...words] = left.split(" ");
  const type = words.includes("text") ? "TEXT" : words.includes("blob") ? "BLOB" : "INTEGER";
  return { name, type, meaning, nullable: words.includes("?"), key: words.includes("key"), references };
}

const table = (name: string, meaning: string, columns: readonly ColumnEntry[]): TableEntry => ({ name, meaning, columns, paged: false });
const paged = (name: string, meaning: string, columns: readonly ColumnEntry[]): TableEntry => ({ name, meaning, columns, paged: true });

const TRANSITION_REFERENCES: Readonly<Record<string, string>> = {
  thread: " -> thread(id)",
  site: " -> site(id)",
  kind: " -> kind(id)",
  detail: " -> text(id)",
};
const seq = (form: string, meaning: string) => column(`${form} -> transition(seq)`, meaning);
const threadColumn = column("thread -> thread(id)", "whose");
const timeColumn = column("time", "when it began, ns since the run began");
const duration = column("duration ?", "how long, ns; NULL while open");

export const TABLES: readonly TableEntry[] = [
  table("run", "how this trace was made; one row", [
    column("id key", "always 1"),
    column("format", "format of transitions.arrow"),
    column("eintr text", "version that recorded it"),
    column("stack text", "stack of emulated parts, or where it was imported from"),
    column("fixes text", "JSON list of the fixes that were on"),
    column("scenario text", "name of the scenario"),
    column("scenario_text text", "the scenario itself"),
    column("seed", "seed of the scheduler"),
    column("scheduler text", "who answered what the state leaves open"),
    column("origin text", "emulated or imported"),
    column("transitions", "rows of transition"),
    column("threads", "rows of thread"),
    column("time", "time of the last transition, ns"),
    column("reason text", "why it ended: finished, aborted, row-limit, time-limit, killed"),
    column("complete", "1 the recording was closed, 0 it was killed and what was flushed is here"),
    column("lost_bytes", "bytes at the end of transitions.arrow that could not be used"),
    column("arrow_bytes", "length of the transitions.arrow this database was made from"),
    column("digest text", "sha256 over columns, texts and threads: equal for equal runs"),
  ]),
  table("thread", "threads", [
    column("id key", "number in this trace"),
    column("name text", "name in the scenario"),
    column("pid", "process"),
    column("tid", "thread id"),
    column("internal", "1 a helper of the LibOS that the application does not know"),
  ]),
  table("site", "places in the stack's code", [
    column("id key", "number in this trace"),
    column("flow text", "function"),
    column("step", "position of the step in its function"),
    column("label text", "what the step does"),
    column("layer text", "app, libos, pal, untrusted-pal or host"),
    column("context text", "normal or signal"),
    column("source text", "section of the reference the function follows"),
  ]),
  table("text", "interned texts", [column("id key", "0 is the empty text"), column("text text", "the text")]),
  table("kind", "sorts of transition", [
    column("id key", "number, the same in every trace"),
    column("name text", "name"),
    column("text text", "what happened"),
    column("value text", "meaning of transition.value, empty when unused"),
    column("extra text", "meaning of transition.extra, empty when unused"),
  ]),
  table("signal_name", "names of signal numbers", [
    column("number key", "signal number"),
    column("name text", "name, e.g. SIGINT; SIGRT2 is 34"),
  ]),
  paged("transition", "what happened, where, and what state it left; the view transitions has names", [
    column("seq key", "position in the trace, from 0, no gaps"),
    ...COLUMN_NAMES.map((name) => column(`${name}${TRANSITION_REFERENCES[name] ?? ""}`, COLUMN_MEANING[name])),
  ]),
  table("keyframe", "copies of the machine's state, to replay from", [
    seq("seq key", "the state after this transition"),
    column("state blob", "JSON text, zlib-deflated"),
  ]),
  table("decision", "choices the state does not determine, where not the default", [
    column("id key", "position in the list of decisions"),
    column("seq", "transition during which it was made"),
    column("door text", "what was to be decided"),
    column("choice", "the answer"),
  ]),
  paged("syscall", "calls of the application, paired; the view syscalls has names", [
    seq("seq key", "the call (app.call)"),
    seq("exit_seq ?", "its return (app.return); NULL when it never returned"),
    threadColumn,
    column("site -> site(id)", "where it was made"),
    column("nr", "number of the operation in its program"),
    timeColumn,
    duration,
    column("result ?", "result: >= 0 or a negative errno"),
    column("interrupted", "1 a signal handler ran inside it"),
  ]),
  table("signal", "one row per signal: its road through the layers; the view signals has names", [
    column("id key", "number of the signal in this trace"),
    column("signal", "signal number"),
    column("thread -> thread(id)", "target"),
    seq("generated ?", "made pending by the host kernel"),
    seq("delivered ?", "host handler entered"),
    seq("pended ?", "kept by the PAL for later"),
    seq("upcall ?", "PAL called the LibOS"),
    seq("decided ?", "LibOS decided: now, later, never"),
    seq("appended ?", "put into a thread's ring"),
    seq("fetched ?", "taken out of the ring"),
    seq("handled ?", "application's handler entered"),
    seq("ended ?", "its road ended here: handler left, ignored, lost, ..."),
    column("outcome", OUTCOMES.map(({ name, more }, value) => `${value} ${name} ${more}`.trimEnd()).join(", ")),
    column("time_generated ?", "ns"),
    column("time_handled ?", "ns"),
    column("delay ?", "generated to handled, ns"),
  ]),
  paged("entry", "stays in the enclave", [
    seq("seq key", "EENTER or ERESUME"),
    threadColumn,
    column("how", "0 EENTER with CSSA 0, 1 EENTER with CSSA > 0, 2 ERESUME"),
    seq("left_seq ?", "EEXIT or AEX"),
    column("left_how ?", "0 EEXIT, 1 AEX"),
    timeColumn,
    duration,
  ]),
  paged("upcall", "calls of the PAL into the LibOS", [
    seq("seq key", "the upcall begins"),
    threadColumn,
    column("event", "PAL event number"),
    seq("return_seq ?", "it returns; NULL when it was left otherwise"),
    timeColumn,
    duration,
  ]),
  paged("handler", "runs of the application's signal handlers", [
    seq("seq key", "the handler starts"),
    threadColumn,
    column("signal", "signal number"),
    column("signal_id", "row of signal, 0 unknown"),
    seq("left_seq ?", "it returns or jumps away"),
    column("left_how ?", "0 return, 1 longjmp"),
    timeColumn,
    duration,
    column("context", "context it started in: 0 normal, 1 signal"),
  ]),
  table("analysis", "rules that ran over this trace, and all they found; a rule that is not here never ran", [
    column("rule text key", "id of the rule: see eintr explain"),
    column("findings", "how many it found; 0 is an answer as well"),
    column("cost_ns", "what they wasted together, ns"),
    column("omitted", "how many of them are counted here only: after very many alike the rest is not in the table finding"),
  ]),
  table("finding", "what the analyzer found, each with its evidence; analysis has the totals", [
    column("id key", "position in the report of the last analysis; findings of rules that it did not run come after"),
    column("rule text -> analysis(rule)", "id of the rule"),
    column("severity text", "how bad"),
    column("title text", "in one line"),
    column("thread ? -> thread(id)", "whose"),
    seq("first_seq", "begins here"),
    seq("last_seq", "ends here"),
    column("cost_ns", "what it wasted, ns"),
    column("fingerprint text", "the same for the same thing in other runs"),
  ]),
  table("evidence", "what a finding rests on", [
    column("finding key -> finding(id)", "of which"),
    column("position key", "order, from 0"),
    seq("seq", "the transition"),
    column("caption text", "why it matters"),
  ]),
  table("outcome", "the verdict: how the run, its processes and its threads ended, beside Linux alone; empty until it was compared", [
    column("id key", "0 the run, then its processes, then its threads"),
    column("subject text", "run, process or thread"),
    column("name text", "the stack, or the name of the process or thread"),
    column("thread ? -> thread(id)", "the thread, or the first one of the process"),
    column(
      "how text",
      "how it ended, in one word: exited, signal, assertion, stuck, going-on, ...; of a thread: exited, blocked, waiting, ...",
    ),
    column("text text", "the same for people"),
    seq("seq ?", "where it ended"),
    column("other text ?", "what it was compared with: a stack; NULL nothing"),
    column("other_how text ?", "how it ended there; NULL it is not there"),
    column("other_text text ?", "the same for people"),
    column("compared", "of the run: calls and handlers that both have"),
    column("omitted", "of the run: differences that are counted here only, so many there are"),
    column("beyond", "of the run: all that lies beyond the end of one of the runs; the table difference has the first of it"),
    seq("compared_seq ?", "of a thread: from here on the other run was too short to compare; NULL all was compared"),
  ]),
  table("difference", "what the application would have seen otherwise on Linux alone, causes before what follows from them", [
    column("id key", "causal order, from 1"),
    column(
      "kind text",
      "what differs: result, output, left, never-returns, call, handler, handler-place, handler-order, siginfo, mask, thread, thread-end, process-end",
    ),
    column("weight text", "differs; timing: what caused it came at another moment; cut: the run ended too early to say"),
    column("thread text", "name of the thread"),
    column("what text", "the call or handler"),
    seq("seq ?", "the call or handler, or the end of a thread or process; NULL it does not happen here"),
    column("here text", "what is seen here"),
    column("result ?", "result of the call here"),
    column("other_seq ?", "the same in the run on Linux alone"),
    column("there text", "what is seen there"),
    column("other_result ?", "result of the call there"),
    column("line ?", "line of the strace log that the call comes from"),
    column("cause", "1 the one that is told first: the first that differs and is not only a siginfo, a mask or -ENOSYS, if there is one"),
  ]),
  table("count_by_kind", "transitions by thread and kind", [
    column("thread key -> thread(id)", "whose"),
    column("kind key -> kind(id)", "what"),
    column("count", "how many"),
  ]),
  table("time_index", "times of blocks of transitions: find a time's seq without an index on every row", [
    seq("seq0 key", "first transition of the block"),
    column("rows", "transitions in it"),
    column("time0", "earliest time in it, ns"),
    column("time1", "latest time in it, ns"),
  ]),
  table("quality", "what was odd in the input, counted", [
    column("name text key", "what"),
    column("count", "how often"),
    column("severity text", "info, notice, data-loss or error"),
    column("advice text", "what to do about it"),
  ]),
];

export const VIEWS: readonly ViewEntry[] = [
  {
    name: "transitions",
    meaning: "transition with names instead of numbers",
    select: `SELECT t.seq, t.time AS time_ns, h.name AS thread, k.name AS kind, n.name AS signal, t.value, t.extra,
  s.flow, s.label, s.layer, s.context, t.depth, t.cssa, t.preempt, t.pending, x.text AS detail
FROM transition t JOIN kind k ON k.id = t.kind JOIN site s ON s.id = t.site JOIN thread h ON h.id = t.thread
LEFT JOIN signal_name n ON n.number = t.signal LEFT JOIN text x ON x.id = t.detail`,
  },
  {
    name: "syscalls",
    meaning:
      "syscall with names instead of numbers; native is what Linux alone would have returned, by the verdict, NULL where that is not known",
    select: `SELECT c.seq, c.exit_seq, h.name AS thread, s.label AS call, s.flow, c.nr, c.time AS time_ns,
  c.duration AS duration_ns, c.result,
  CASE WHEN d.id IS NOT NULL THEN d.other_result WHEN o.other IS NULL OR c.seq >= o.compared_seq THEN NULL ELSE c.result END AS native,
  c.interrupted
FROM syscall c JOIN thread h ON h.id = c.thread JOIN site s ON s.id = c.site
LEFT JOIN outcome o ON o.subject = 'thread' AND o.thread = c.thread
LEFT JOIN difference d ON d.seq = c.seq AND d.kind IN ('result', 'never-returns', 'left', 'call') AND d.what = s.label`,
  },
  {
    name: "signals",
    meaning: "signal with names instead of numbers",
    select: `SELECT g.id, n.name AS signal, h.name AS thread,
  CASE g.outcome ${OUTCOMES.map(({ name }, value) => `WHEN ${value} THEN '${name}'`).join(" ")} END AS outcome,
  g.delay AS delay_ns, g.generated, g.delivered, g.pended, g.upcall, g.decided, g.appended, g.fetched, g.handled, g.ended
FROM signal g JOIN thread h ON h.id = g.thread LEFT JOIN signal_name n ON n.number = g.signal`,
  },
];

/** The table of that name; throws for a name that is none (our bug). */
export function tableEntry(name: string): TableEntry {
  const entry = TABLES.find((t) => t.name === name);
  if (entry === undefined) throw new Error(`no table ${name}`);
  return entry;
}

function columnSql(entry: ColumnEntry, soleKey: boolean): string {
  const words = [`"${entry.name}"`, entry.type];
  if (entry.key && soleKey) words.push("PRIMARY KEY");
  if (!entry.nullable && !(entry.key && soleKey && entry.type === "INTEGER")) words.push("NOT NULL");
  if (entry.references !== null) words.push(`REFERENCES ${entry.references}`);
  return words.join(" ");
}

/** CREATE TABLE with the meanings as comments inside, so that `.schema` of any client shows them. */
export function createTableSql(entry: TableEntry): string {
  const keys = entry.columns.filter((c) => c.key);
  const sole = keys.length === 1;
  const lines = entry.columns.map((c, i) => {
    const last = i === entry.columns.length - 1 && sole;
    return `  ${columnSql(c, sole)}${last ? "" : ","} -- ${c.meaning}`;
  });
  if (!sole) lines.push(`  PRIMARY KEY (${keys.map((c) => `"${c.name}"`).join(", ")})`);
  const options = sole ? "STRICT" : "STRICT, WITHOUT ROWID";
  return `CREATE TABLE "${entry.name}" ( -- ${entry.meaning}\n${lines.join("\n")}\n) ${options}`;
}

/** For the joins of the views. */
const INDEXES = ['CREATE INDEX "difference_by_seq" ON "difference"("seq")'];

/** The whole schema as SQL statements. */
export const schemaSql = (): string =>
  `${[
    ...TABLES.map(createTableSql),
    ...INDEXES,
    ...VIEWS.map((view) => `CREATE VIEW "${view.name}" AS -- ${view.meaning}\n${view.select}`),
  ].join(";\n")};\n`;

/** For `eintr schema`. */
export const describeSchema = () => ({ version: SCHEMA_VERSION, tables: TABLES, views: VIEWS });
