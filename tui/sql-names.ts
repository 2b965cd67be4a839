/** Names that a question in SQL may have, and what the one that is being written can go on to. */

import { KINDS } from "../engine/index.ts";
import { describeSchema } from "../recorder/index.ts";

const WORDS = ["SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "JOIN", "COUNT(*)", "DISTINCT", "BETWEEN", "DESC"];

function names(): string[] {
  const { tables, views } = describeSchema();
  const all = [
    ...WORDS,
    ...[...tables, ...views].map((t) => t.name),
    ...tables.flatMap((t) => t.columns.map((c) => c.name)),
    ...views.flatMap((view) => view.columns),
    ...KINDS.map((kind) => kind.name),
  ];
  return [...new Set(all)].sort();
}

/** Completes the last word, inside quotes too: names of tables and columns, kinds, words of SQL. */
export function complete(line: string): [string[], string] {
  const word = /[\w.]*$/.exec(line)?.[0] ?? "";
  if (word === "") return [[], word];
  const found = names().filter((name) => name.toLowerCase().startsWith(word.toLowerCase()));
  return [found, word];
}
