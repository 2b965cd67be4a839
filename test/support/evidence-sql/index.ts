/**
 * Findings looked at again, by SQL on trace.db: for each rule what the rows of its evidence must be, and what must hold between them. The
 * tables are written from the pages of the rules, not from their logic. Lines of an entry:
 *
 *   ID: CONDITION                  the row of that evidence, which is one of the finding's thread
 *   ID of any thread: CONDITION    the same, of whatever thread
 *   in any order                   the rows need not come in the order of the lines
 *   and CONDITION                  between rows: `ID.column`, with _ for - in the id; left out when a row that it names is not there
 *
 * Columns are those of the view `r`; `@thread` is the finding's thread.
 */

import type { Database } from "better-sqlite3";
import type { Finding } from "../../../analyzer/index.ts";
import { GENERAL } from "./general.ts";
import { GRAMINE } from "./gramine.ts";
import { LIBOS } from "./libos.ts";
import { PAL } from "./pal.ts";

export type EvidenceTable = Readonly<Record<string, string>>;

export const EVIDENCE_SQL: EvidenceTable = { ...LIBOS, ...PAL, ...GRAMINE, ...GENERAL };

/** Transitions with names. */
export const VIEW = `
  CREATE TEMP VIEW r AS
  SELECT t.seq, t.time, t.thread, k.name AS kind, t.signal, t.value, t.extra, t.depth, t.cssa, t.preempt, s.flow, s.label, s.layer, s.context,
         h.pid, h.internal, x.text AS detail
  FROM transition t JOIN kind k ON k.id = t.kind JOIN site s ON s.id = t.site JOIN thread h ON h.id = t.thread LEFT JOIN text x ON x.id = t.detail
`;

interface Entry {
  readonly rows: readonly { readonly id: string; readonly own: boolean; readonly condition: string }[];
  readonly between: readonly string[];
  readonly ordered: boolean;
}

function parse(text: string): Entry {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const rows = lines.flatMap((line) => {
    const [, id, any, condition] = /^([\w-]+)( of any thread)?: (.*)$/.exec(line) ?? [];
    return id === undefined || condition === undefined ? [] : [{ id, own: any === undefined, condition }];
  });
  const between = lines.filter((line) => line.startsWith("and ")).map((line) => line.slice(4));
  const ordered = !lines.includes("in any order");
  if (rows.length + between.length + (ordered ? 0 : 1) !== lines.length) throw new Error(`an entry with a line that is none:\n${text}`);
  return { rows, between, ordered };
}

const nameOf = (id: string): string => id.replaceAll("-", "_");
/** The seq of an evidence's row, as a parameter. */
const seqOf = (id: string): string => `at_${nameOf(id)}`;

/** One SELECT for a finding: a column for each thing that must hold. */
export function sqlOf(entry: Entry, ids: ReadonlySet<string>): string {
  const there = entry.rows.filter(({ id }) => ids.has(id));
  const names = new Set(entry.rows.map(({ id }) => nameOf(id)));
  const isThere = (condition: string): boolean =>
    [...condition.matchAll(/\b(\w+)\.\w+/g)].every(([, name = ""]) => !names.has(name) || ids.has(name.replaceAll("_", "-")));
  const quoted = (condition: string): string =>
    condition.replace(/\b(\w+)\.(\w+)/g, (whole, name: string, column: string) => (names.has(name) ? `"${name}".${column}` : whole));
  const columns = [
    ...there.map(({ id, own, condition }) => {
      const thread = own ? " AND thread = @thread" : "";
      return `EXISTS (SELECT 1 FROM r WHERE seq = @${seqOf(id)} AND (${condition})${thread}) AS "${id}: ${condition.replaceAll('"', "'")}"`;
    }),
    ...entry.between.filter(isThere).map((condition) => `(${quoted(condition)}) AS "${condition.replaceAll('"', "'")}"`),
    ...(entry.ordered ? there.slice(1).map(({ id }, i) => `@${seqOf(there[i]?.id ?? id)} <= @${seqOf(id)} AS "${id} comes later"`) : []),
  ];
  const from = there.map(({ id }) => `r AS "${nameOf(id)}"`).join(", ");
  const where = there.map(({ id }) => `"${nameOf(id)}".seq = @${seqOf(id)}`).join(" AND ");
  return `SELECT ${columns.join(",\n  ")}\nFROM ${from}\nWHERE ${where}`;
}

/** What does not hold of a finding; empty when all does. `db` has the view. */
export function wrongIn(db: Database, finding: Finding): string[] {
  const text = EVIDENCE_SQL[finding.rule];
  if (text === undefined) return ["the rule has no entry in test/support/evidence-sql"];
  const entry = parse(text);
  const known = new Set(entry.rows.map(({ id }) => id));
  const unknown = finding.evidence.filter(({ id }) => !known.has(id));
  if (unknown.length > 0) return unknown.map(({ id }) => `evidence "${id}" is not in the entry`);
  const ids = new Set(finding.evidence.map(({ id }) => id));
  const seqs = Object.fromEntries(finding.evidence.map(({ id, seq }) => [seqOf(id), seq]));
  const row = db.prepare(sqlOf(entry, ids)).get({ ...seqs, thread: finding.thread }) as Record<string, unknown> | undefined;
  if (row === undefined) return ["a row of the evidence is not in the trace"];
  return Object.entries(row).flatMap(([what, holds]) => (holds === 1 ? [] : [what]));
}
