/** The words in which tables are defined: a column is data, and from its type follow the types of rows. */

export type SqlType = "INTEGER" | "TEXT" | "BLOB";

export interface Column<Type extends SqlType = SqlType, Nullable extends boolean = boolean> {
  readonly type: Type;
  readonly meaning: string;
  readonly nullable: Nullable;
  /** Belongs to the primary key. */
  readonly key: boolean;
  /** `table(column)` it points to. */
  readonly references: string | null;
}

export type Columns = Readonly<Record<string, Column>>;

export interface Table<C extends Columns = Columns> {
  readonly meaning: string;
  /** In the order of the table. */
  readonly columns: C;
  /** Filled by the page writer: integers only, in the order of its key. */
  readonly paged: boolean;
}

interface Values {
  readonly INTEGER: number;
  readonly TEXT: string;
  readonly BLOB: Uint8Array;
}

/** A row of a table with these columns, as an object. */
export type RowOf<C extends Columns> = {
  [Name in keyof C]: Values[C[Name]["type"]] | (true extends C[Name]["nullable"] ? null : never);
};

const column = <Type extends SqlType>(type: Type, meaning: string, references: string | null): Column<Type, false> => ({
  type,
  meaning,
  nullable: false,
  key: false,
  references,
});

export const int = (meaning: string, references: string | null = null) => column("INTEGER", meaning, references);
export const text = (meaning: string, references: string | null = null) => column("TEXT", meaning, references);
export const blob = (meaning: string) => column("BLOB", meaning, null);
/** The number of a transition. */
export const seq = (meaning: string) => int(meaning, "transition(seq)");

export const nullable = <Type extends SqlType>(of: Column<Type>): Column<Type, true> => ({ ...of, nullable: true });
export const key = <Type extends SqlType>(of: Column<Type, false>): Column<Type, false> => ({ ...of, key: true });

export const table = <C extends Columns>(meaning: string, columns: C): Table<C> => ({ meaning, columns, paged: false });
export const paged = <C extends Columns>(meaning: string, columns: C): Table<C> => ({ meaning, columns, paged: true });
