/**
 * What a search has to know of the state's fields. A field holds a *value* (a number, a text, or plain data that is replaced and never
 * changed in place) in a role, or a part of the state that is changed in place: a record, a list or a table.
 */

/**
 * What a value means for the future of a run. `essential`: it decides what happens. `clock`: only its distance from now does.
 * `history`: what has happened, nobody asks. `identity`: a name that was given out; another one would do as well. `running`: it moves with
 * every transition, so that a search keeps it with each state of its way and the journal does not.
 */
export type Role = "essential" | "clock" | "history" | "identity" | "running";

export interface RecordLayout {
  readonly what: "record";
  readonly name: string;
  readonly fields: Readonly<Record<string, Layout>>;
  /** Role of the fields that `fields` does not name. */
  readonly others: Role;
}

export interface ListLayout {
  readonly what: "list";
  readonly of: Layout;
}

export interface TableLayout {
  readonly what: "table";
  readonly of: Layout;
}

/** The locals of a frame: one record for each flow. */
export interface LocalsLayout {
  readonly what: "locals";
  readonly fields: Readonly<Record<string, Layout>>;
}

export type Layout = Role | RecordLayout | ListLayout | TableLayout | LocalsLayout;

/** All fields of T that are objects must be named; values are essential unless they are named. */
type FieldsOf<T> = {
  readonly [K in keyof T as NonNullable<T[K]> extends object ? K : never]-?: Layout;
} & { readonly [K in keyof T]?: Layout };

export const record = <T extends object>(name: string, fields: FieldsOf<T>): RecordLayout => ({
  what: "record",
  name,
  fields: fields as Readonly<Record<string, Layout>>,
  others: "essential",
});

export const list = (of: Layout): ListLayout => ({ what: "list", of });
export const table = (of: Layout): TableLayout => ({ what: "table", of });

/** The parts that a stack keeps of threads and processes; of a stack that keeps none, any value. */
export interface OwnLayout {
  readonly thread: { readonly pal: Layout; readonly libos: Layout };
  readonly process: { readonly pal: Layout; readonly libos: Layout };
}
