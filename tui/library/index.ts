/** What a program gets from `import ... from "eintr"`. The types, with their documentation, are in `eintr.d.ts`; the build ships them as they are. */

import { analyze as analyzeRows, findRule, RULES } from "../../analyzer/catalogue.ts";
import { compareTraces, type Difference, firstOf, judgeTrace, storedVerdict, type Verdict } from "../../analyzer/index.ts";
import { findStackName, hint, isFix, isOption, STACK_NAMES, type StateColumn } from "../../engine/index.ts";
import { type NamedRow, namedRows, openTrace as openFolder, query, type Trace } from "../../recorder/index.ts";
import { openCase, scenarioCase } from "../case.ts";
import { InputError } from "../io.ts";
import { packageVersion } from "../package-root.ts";
import { verdictLines } from "../present/verdict.ts";
import { recordCase } from "../recording.ts";
import { wordsFor } from "../user-errors.ts";
import type * as Api from "./eintr.d.ts";

/** Of a signal that nobody aborts. */
const NEVER_ABORTED = new AbortController().signal;

/** The recorder's trace behind one that was given out. */
const traces = new WeakMap<Api.Trace, Trace>();

const record: typeof Api.record = async (what, given) => {
  const { output, stack = "graphene-sgx", fixes = [], options = [], scheduler = "scripted", seed, rows, force = false } = given;
  const { signal = NEVER_ABORTED, onProgress } = given;
  const known = findStackName(stack);
  if (known === undefined) throw new InputError(`stack: no stack "${stack}"${hint(stack, STACK_NAMES)}`);
  const limits = { rows };
  const opened =
    typeof what === "string" ? await openCase({ signal }, what, limits) : scenarioCase(what.name ?? "the scenario", what.scenario, limits);
  const { end, dir } = await recordCase(
    { signal },
    opened,
    output,
    {
      stack: known,
      fixes: fixes.map((name) => (isFix(name) ? name : unknown("fixes", name))),
      options: options.map((name) => (isOption(name) ? name : unknown("options", name))),
      scheduler,
      seed,
      rows,
      force,
    },
    { update: (_, made) => onProgress?.(made), end() {} },
  );
  return { path: dir, rows: end.rows, time: end.time, digest: end.digest, reason: end.reason };
};

function unknown(option: string, name: string): never {
  throw new InputError(`${option}: "${name}" is not known (eintr record --help lists them)`);
}

const openTrace: typeof Api.openTrace = async (path, { signal = NEVER_ABORTED } = {}) => {
  const trace = await openFolder(path, { signal });
  if (trace === null) throw aborted(signal);
  const rowOf = namedRows(trace);
  const opened: Api.Trace = {
    path,
    run: {
      eintr: trace.info.eintr,
      stack: trace.info.stack,
      fixes: trace.info.fixes,
      options: trace.info.options,
      scenario: trace.info.scenario,
      scenarioText: trace.info.scenarioText,
      seed: trace.info.seed,
      origin: trace.info.origin,
    },
    threads: trace.threads,
    length: trace.transitions.rows,
    complete: trace.complete,
    database: trace.db,
    *transitions(from = 0, to = trace.transitions.rows) {
      for (const block of trace.rows(from, to)) {
        for (let i = Math.max(0, from - block.seq0); i < block.n && block.seq0 + i < to; i += 1) yield transitionOf(rowOf(block, i));
      }
    },
    async query(sql, asked = {}) {
      const result = await query(trace.db, sql, asked);
      const found: Api.Cell[][] = [];
      for await (const chunk of result.chunks()) for (const row of chunk) found.push(row);
      return { columns: result.columns, rows: found };
    },
    close: () => trace.close(),
  };
  traces.set(opened, trace);
  return opened;
};

/** A row with the columns of the view `transitions`. */
function transitionOf({ time_ns, thread, flow, label, layer, context, detail, seq, kind, signal, value, extra, ...rest }: NamedRow) {
  // A column that `eintr.d.ts` does not have does not compile.
  const state: Pick<Api.Transition, StateColumn> = rest;
  const place = { flow: flow ?? "", label: label ?? "", layer: layer ?? "host", context: context ?? "normal" } as const;
  return { seq, time: time_ns, thread: thread ?? "", kind, signal, value, extra, ...place, ...state, detail } satisfies Api.Transition;
}

function innerOf(trace: Api.Trace): Trace {
  const inner = traces.get(trace);
  if (inner === undefined) throw new TypeError("expected a trace that openTrace gave");
  return inner;
}

const analyze: typeof Api.analyze = async (trace, { rules: ids, signal = NEVER_ABORTED } = {}) => {
  const inner = innerOf(trace);
  const chosen = ids?.map((id) => findRule(id));
  const verdict = storedVerdict(inner) ?? (await judgeTrace(inner, { signal }));
  const result = verdict === null ? null : await analyzeRows(inner, { rules: chosen, signal });
  if (verdict === null || result === null) throw aborted(signal);
  inner.replaceVerdict(verdict);
  inner.replaceFindings(result.findings, result.ran);
  return {
    verdict: verdictOf(verdict),
    findings: result.findings.map(({ rule, severity, title, thread, firstSeq, lastSeq, costNs, fingerprint, evidence }) => ({
      rule,
      severity,
      title,
      thread: thread === null ? null : (inner.threads[thread]?.name ?? ""),
      firstSeq,
      lastSeq,
      cost: costNs,
      fingerprint,
      evidence: evidence.map(({ seq, caption, isTurn = false }) => ({ seq, caption, isTurn })),
    })),
    counts: Object.fromEntries(result.ran.map(({ rule, findings }) => [rule, findings])),
  };
};

const diff: typeof Api.diff = async (trace, other = null, { ignore = {}, signal = NEVER_ABORTED } = {}) => {
  const { calls = [], threads = [], kinds = [] } = ignore;
  const ignored = { calls: new Set(calls), threads: new Set(threads), kinds: new Set(kinds) };
  const one = innerOf(trace);
  const verdict = await (other === null ? judgeTrace(one, { signal }, ignored) : compareTraces(one, innerOf(other), { signal }, ignored));
  if (verdict === null) throw aborted(signal);
  return verdictOf(verdict, other === null ? undefined : { name: other.path, there: "there" });
};

function verdictOf(verdict: Verdict, beside?: Parameters<typeof verdictLines>[1]): Api.Verdict {
  const first = firstOf(verdict);
  return {
    same: first === undefined,
    other: verdict.other,
    lines: verdictLines(verdict, beside),
    first: first === undefined ? null : differenceOf(first),
    differences: verdict.differences.map(differenceOf),
    outcomes: verdict.outcomes.map(({ subject, name, text, otherText }) => ({ subject, name, text, other: otherText })),
  };
}

const differenceOf = ({ kind, weight, thread, what, line, one, other }: Difference): Api.Difference => ({
  kind,
  weight,
  thread,
  what,
  line,
  here: one,
  there: other,
});

const aborted = (signal: AbortSignal): unknown => signal.reason ?? new Error("aborted");

const stacks: typeof Api.stacks = STACK_NAMES;
const rules: typeof Api.rules = RULES.map(({ id, title, severity }) => ({ id, title, severity }));
const isUserError: typeof Api.isUserError = (error): error is Error => wordsFor(error) !== null;
const version: typeof Api.version = packageVersion();

/** The compiler refuses a list that lacks something of what the types promise. */
void ({ record, openTrace, analyze, diff, stacks, rules, isUserError, version } satisfies typeof Api);

export { analyze, diff, isUserError, openTrace, record, rules, stacks, version };
