/** The views of `trace.db`: tables with names instead of numbers. A view's columns say what each is made of and what may come out. */

import { type Columns, int, nullable, type RowOf, text } from "./column.ts";
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

export const VIEWS = {
  transitions: view(
    "transition with names instead of numbers",
    {
      seq: int("t.seq"),
      time_ns: int("t.time"),
      thread: text("h.name"),
      kind: text("k.name"),
      signal: maybe.text("n.name"),
      value: int("t.value"),
      extra: int("t.extra"),
      flow: text("s.flow"),
      label: text("s.label"),
      layer: text("s.layer"),
      context: text("s.context"),
      depth: int("t.depth"),
      cssa: int("t.cssa"),
      preempt: int("t.preempt"),
      pending: int("t.pending"),
      detail: maybe.text("x.text"),
    },
    `FROM transition t JOIN kind k ON k.id = t.kind JOIN site s ON s.id = t.site JOIN thread h ON h.id = t.thread
LEFT JOIN signal_name n ON n.number = t.signal LEFT JOIN text x ON x.id = t.detail`,
  ),
  syscalls: view(
    "syscall with names instead of numbers; native is what Linux alone would have returned, by the verdict, NULL where that is not known",
    {
      seq: int("c.seq"),
      exit_seq: maybe.int("c.exit_seq"),
      thread: text("h.name"),
      call: text("s.label"),
      flow: text("s.flow"),
      nr: int("c.nr"),
      time_ns: int("c.time"),
      duration_ns: maybe.int("c.duration"),
      result: maybe.int("c.result"),
      native: maybe.int(
        "CASE WHEN d.id IS NOT NULL THEN d.other_result WHEN o.other IS NULL OR c.seq >= o.compared_seq THEN NULL ELSE c.result END",
      ),
      interrupted: int("c.interrupted"),
    },
    `FROM syscall c JOIN thread h ON h.id = c.thread JOIN site s ON s.id = c.site
LEFT JOIN outcome o ON o.subject = 'thread' AND o.thread = c.thread
LEFT JOIN difference d ON d.seq = c.seq AND d.kind IN ('result', 'never-returns', 'left', 'call') AND d.what = s.label`,
  ),
  signals: view(
    "signal with names instead of numbers",
    {
      id: int("g.id"),
      signal: maybe.text("n.name"),
      thread: text("h.name"),
      outcome: text(`CASE g.outcome ${OUTCOMES.map(({ name }, value) => `WHEN ${value} THEN '${name}'`).join(" ")} END`),
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
    },
    "FROM signal g JOIN thread h ON h.id = g.thread LEFT JOIN signal_name n ON n.number = g.signal",
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
