/** The views of `trace.db`: tables with names instead of numbers. A view's columns say what each is made of and what may come out. */

import { STATE_COLUMNS, type StateColumn } from "../../engine/index.ts";
import { type Column, type Columns, int, nullable, type RowOf, text } from "./column.ts";
import { OUTCOMES } from "./outcomes.ts";

export interface View<C extends Columns = Columns> {
  readonly meaning: string;
  /** The meaning of a column is the expression it is made by. */
  readonly columns: C;
  /** From where, in SQL. */
  readonly from: string;
}

const view = <C extends Columns>(meaning: string, columns: C, from: string): View<C> => ({ meaning, columns, from });

const maybe = { int: (expression: string) => nullable(int(expression)), text: (expression: string) => nullable(text(expression)) };

/** A name found by its number. SQLite leaves out a subquery whose column a query does not use; a join it leaves out seldom. */
const found = (column: string, table: string, number: string, key = "id") => `(SELECT ${column} FROM ${table} WHERE ${key} = ${number})`;
const threadName = (number: string) => text(found("name", "thread", number));
const signalName = (number: string) => maybe.text(found("name", "signal_name", number, "number"));
const outcomeName = (number: string) =>
  text(`CASE ${number} ${OUTCOMES.map(({ name }, value) => `WHEN ${value} THEN '${name}'`).join(" ")} END`);

/** A result by its name: "-EINTR", "64". */
const resultName = (number: string) =>
  maybe.text(
    `CASE WHEN ${number} IS NULL THEN NULL WHEN ${number} >= 0 THEN CAST(${number} AS TEXT) ELSE ifnull(${found("name", "error_name", number, "number")}, CAST(${number} AS TEXT)) END`,
  );
/** Time with its unit: "160 ns", "5.0 ms". Two digits after the point are enough for people: the column in ns has them all. */
const durationText = (ns: string) =>
  maybe.text(
    `CASE WHEN ${ns} IS NULL THEN NULL WHEN ${ns} < 10000 THEN ${ns} || ' ns' WHEN ${ns} < 1000000 THEN printf('%.1f us', ${ns} / 1e3) WHEN ${ns} < 1000000000 THEN printf('%.1f ms', ${ns} / 1e6) ELSE printf('%.2f s', ${ns} / 1e9) END`,
  );

const stateColumns = Object.fromEntries(STATE_COLUMNS.map((name) => [name, maybe.int(`t.${name}`)])) as {
  readonly [C in StateColumn]: Column<"INTEGER", true>;
};

export const VIEWS = {
  transitions: view(
    "transition with names instead of numbers; in any order without ORDER BY",
    {
      seq: int("t.seq"),
      time_ns: int("t.time"),
      thread: threadName("t.thread"),
      kind: text("k.name"),
      signal: signalName("t.signal"),
      value: int("t.value"),
      extra: int("t.extra"),
      flow: text(found("flow", "site", "t.site")),
      label: text(found("label", "site", "t.site")),
      layer: text(found("layer", "site", "t.site")),
      context: text(found("context", "site", "t.site")),
      ...stateColumns,
      detail: maybe.text(found("text", "text", "t.detail")),
    },
    // A join, for the index transition_by_kind: rows of one kind are found by it, and all kinds are counted.
    "FROM transition t JOIN kind k ON k.id = t.kind",
  ),
  syscalls: view(
    "syscall with names instead of numbers; native is what Linux alone would have returned, by the verdict, NULL where that is not known",
    {
      seq: int("c.seq"),
      exit_seq: maybe.int("c.exit_seq"),
      thread: threadName("c.thread"),
      call: text("s.label"),
      flow: text("s.flow"),
      nr: int("c.nr"),
      time_ns: int("c.time"),
      duration_ns: maybe.int("c.duration"),
      result: maybe.int("c.result"),
      native: maybe.int(
        `(SELECT CASE WHEN d.id IS NOT NULL THEN d.other_result WHEN o.other IS NULL OR c.seq >= o.compared_seq THEN NULL ELSE c.result END
    FROM run LEFT JOIN outcome o ON o.thread = c.thread AND o.subject = 'thread'
    LEFT JOIN difference d ON d.seq = c.seq AND d.kind IN ('result', 'never-returns', 'left', 'call') AND d.what = s.label)`,
      ),
      interrupted: int("c.interrupted"),
      answer: resultName("c.result"),
      duration: durationText("c.duration"),
    },
    "FROM syscall c JOIN site s ON s.id = c.site",
  ),
  signals: view(
    "signal with names instead of numbers",
    {
      id: int("g.id"),
      signal: signalName("g.signal"),
      thread: threadName("g.thread"),
      outcome: outcomeName("g.outcome"),
      delay_ns: maybe.int("g.delay"),
      generated: maybe.int("g.generated"),
      delivered: maybe.int("g.delivered"),
      pended: maybe.int("g.pended"),
      upcall: maybe.int("g.upcall"),
      decided: maybe.int("g.decided"),
      appended: maybe.int("g.appended"),
      fetched: maybe.int("g.fetched"),
      handled: maybe.int("g.handled"),
      ended: maybe.int("g.ended"),
      delay: durationText("g.delay"),
    },
    "FROM signal g",
  ),
  call_totals: view(
    "call_total with names instead of numbers",
    {
      call: text("s.label"),
      flow: text("s.flow"),
      error: int("c.error"),
      count: int("c.count"),
      interrupted: int("c.interrupted"),
      time_ns: int("c.time"),
      longest_ns: int("c.longest"),
      longest_seq: maybe.int("c.longest_seq"),
      answer: maybe.text(
        `CASE c.error WHEN 0 THEN 'no error' WHEN 1 THEN 'never returned' ELSE ${found("name", "error_name", "c.error", "number")} END`,
      ),
      time: durationText("c.time"),
      longest: durationText("c.longest"),
    },
    "FROM call_total c JOIN site s ON s.id = c.site",
  ),
  signal_totals: view(
    "signal_total with names instead of numbers",
    {
      signal: signalName("g.signal"),
      outcome: outcomeName("g.outcome"),
      count: int("g.count"),
      delayed: int("g.delayed"),
      delay_ns: int("g.delay"),
      longest_ns: maybe.int("g.longest"),
      longest_id: maybe.int("g.longest_id"),
      delay: durationText("g.delay"),
      longest: durationText("g.longest"),
    },
    "FROM signal_total g",
  ),
};

export type ViewName = keyof typeof VIEWS;

/** A row of that view, as an object. */
export type ViewRow<V extends ViewName> = RowOf<(typeof VIEWS)[V]["columns"]>;

/** Where an expression names a column that is called the same, it needs no other name. */
const shown = (name: string, expression: string): string => (expression.endsWith(`.${name}`) ? expression : `${expression} AS ${name}`);

export const selectOf = ({ columns, from }: View): string =>
  `SELECT ${Object.entries(columns)
    .map(([name, { meaning }]) => shown(name, meaning))
    .join(",\n  ")}\n${from}`;
