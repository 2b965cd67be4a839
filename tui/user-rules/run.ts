/** Runs the users' rules over a trace: SQL through the read-only query process with its time limit, modules in a process of their own. */

import { type AnalysisResult, createKeeping } from "../../analyzer/index.ts";
import { type Cell, QueryError, query, type Trace } from "../../recorder/index.ts";
import { InputError } from "../io.ts";
import { refuseTwice, type SqlRule, type UserRule, type UserRules } from "./load.ts";
import { runModule } from "./module.ts";

const SQL_MS = 30_000;
const MOST_ROWS = 100_000;
const LONGEST = 1000;

interface UserFinding {
  readonly thread: number;
  readonly seq: number;
  readonly message: string;
  readonly costNs: number;
  readonly evidence: readonly { readonly seq: number; readonly caption: string }[];
}

/** Throws InputError for a rule that is wrong or was stopped. Null when there is none. */
export async function runUserRules({ sql, modules }: UserRules, trace: Trace, signal: AbortSignal): Promise<AnalysisResult | null> {
  if (sql.length + modules.length === 0) return null;
  const kept = createKeeping(() => 0);
  const known: UserRule[] = [...sql];
  for (const rule of sql) keep(kept.of, rule, await sqlFindings(rule, trace, signal), trace);
  for (const module of modules) {
    const { rule, findings } = await runModule(module, trace, signal);
    known.push(rule);
    refuseTwice(known);
    keep(
      kept.of,
      rule,
      findings.map((one) => ({ ...one, thread: one.thread ?? 0 })),
      trace,
    );
  }
  return kept.result();
}

type Of = ReturnType<typeof createKeeping>["of"];

function keep(of: Of, rule: UserRule, findings: readonly UserFinding[], trace: Trace): void {
  const found = of(rule);
  const last = trace.transitions.rows - 1;
  for (const { thread, seq, message, costNs, evidence } of findings) {
    const told = message.slice(0, LONGEST);
    const all = [{ seq, caption: told }, ...evidence.map((one) => ({ seq: one.seq, caption: one.caption.slice(0, LONGEST) }))]
      .filter((one, i, list) => list.findIndex((other) => other.seq === one.seq) === i)
      .sort((a, b) => a.seq - b.seq);
    for (const one of all)
      if (one.seq > last) throw new InputError(`${rule.file}: seq ${one.seq} is beyond the trace, which has ${last + 1} transitions`);
    found({
      thread,
      costNs: Number.isFinite(costNs) && costNs >= 0 ? costNs : 0,
      // Numbers differ from run to run.
      same: [told.replace(/\d+/g, "N")],
      firstSeq: all[0]?.seq ?? seq,
      lastSeq: all.at(-1)?.seq ?? seq,
      report: () => ({ title: told, evidence: all.map((one) => ({ ...one, id: "found", isTurn: one.seq === seq })) }),
    });
  }
}

async function sqlFindings(rule: SqlRule, trace: Trace, signal: AbortSignal): Promise<UserFinding[]> {
  try {
    const result = await query(trace.db, rule.sql, { limit: MOST_ROWS, timeoutMs: SQL_MS, signal });
    const at = (name: string): number => result.columns.findIndex((column) => column.toLowerCase() === name);
    const [thread, seq, message, cost] = [at("thread"), at("seq"), at("message"), at("cost_ns")];
    if (thread < 0 || seq < 0 || message < 0) {
      result.close();
      throw new InputError(`${rule.file}: expected the columns thread, seq and message, found ${result.columns.join(", ")}`);
    }
    const findings: UserFinding[] = [];
    for await (const chunk of result.chunks()) for (const row of chunk) findings.push(findingOf(row, { thread, seq, message, cost }, rule));
    if (result.truncated) throw new InputError(`${rule.file}: more than ${MOST_ROWS.toLocaleString("en")} rows`);
    return findings;
  } catch (error) {
    if (error instanceof QueryError) throw new InputError(`${rule.file}: ${error.message}`);
    throw error;
  }
}

interface Columns {
  readonly thread: number;
  readonly seq: number;
  readonly message: number;
  readonly cost: number;
}

function findingOf(row: readonly Cell[], at: Columns, { file }: SqlRule): UserFinding {
  const whole = (cell: Cell | undefined, name: string): number => {
    if (typeof cell === "number" && Number.isSafeInteger(cell) && cell >= 0) return cell;
    throw new InputError(`${file}: column ${name}: expected a whole number, found ${cell === null ? "NULL" : String(cell).slice(0, 40)}`);
  };
  return {
    thread: whole(row[at.thread], "thread"),
    seq: whole(row[at.seq], "seq"),
    message: String(row[at.message] ?? ""),
    costNs: at.cost < 0 ? 0 : Number(row[at.cost] ?? 0),
    evidence: [],
  };
}

/** Both together, in the order of a report. */
export function together(built: AnalysisResult, users: AnalysisResult | null): AnalysisResult {
  if (users === null) return built;
  return {
    findings: [...built.findings, ...users.findings].sort((a, b) => a.firstSeq - b.firstSeq || a.lastSeq - b.lastSeq),
    groups: [...built.groups, ...users.groups].sort((a, b) => a.firstSeq - b.firstSeq),
    omitted: new Map([...built.omitted, ...users.omitted]),
    omittedCostNs: new Map([...built.omittedCostNs, ...users.omittedCostNs]),
    ran: [...built.ran, ...users.ran],
  };
}
