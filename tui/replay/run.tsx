/** Opens what is to be replayed, takes the terminal, and gives it back. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { render } from "ink";
import { runOf } from "../../analyzer/index.ts";
import { type FixName, type OptionName, optionsOf, type Run, type StackName } from "../../engine/index.ts";
import { ARROW_NAME, isPacked, type RunInfo, record, type Trace, TraceError } from "../../recorder/index.ts";
import { caseIn } from "../cases/file.ts";
import type { CaseFile } from "../cases/form.ts";
import { InputError, type Io } from "../io.ts";
import { judgeAndKeep } from "../judging.ts";
import { openForCommand } from "../opening.ts";
import { fixNames, noteIgnored, optionNames } from "../options.ts";
import { safe } from "../present/safe.ts";
import { paint } from "../present/style.ts";
import { svgOf } from "../present/svg.ts";
import { startProgress } from "../progress.ts";
import { INK_OPTIONS, Replay, type ReplayProps } from "./app.tsx";
import { alignCalls } from "./compare/alignment.ts";
import { besideOther, MORE_ROWS, timeOfLast } from "./compare/other-run.ts";
import { type Kept, loadKept, saveKept } from "./kept.ts";
import { opening } from "./navigate/opening.ts";
import { enterScreen } from "./screen/terminal.ts";
import { findingsOf, isTooLongToAnalyze, needsAnalysis, openSession, type ReplaySession } from "./session.ts";
import type { ReplayState } from "./state.ts";

export interface ReplayOptions {
  readonly fix?: readonly FixName[];
  readonly option?: readonly OptionName[];
  /** Of a case: what it is run on, and what stands beside that. Of a trace: what stands beside it. */
  readonly stack?: readonly StackName[];
  readonly with?: string;
  readonly at?: number;
  readonly finding?: number;
  readonly ascii?: boolean;
}

const DEFAULT_STACK: StackName = "graphene-sgx";
/** Of traces that are no longer the rules have looked before the first screen: it takes no time that one would see. */
const ANALYZED_FIRST = 20_000;

/** Throws what opening throws, before the terminal is taken. */
export async function runReplay(io: Io, name: string, options: ReplayOptions): Promise<void> {
  const scratch = mkdtempSync(path.join(tmpdir(), "eintr-replay-"));
  const clean = (): void => rmSync(scratch, { recursive: true, force: true });
  // However it ends: the terminal may be closed, or a bug of ours may end the program.
  process.on("exit", clean);
  process.on("SIGHUP", hangUp);
  process.on("SIGQUIT", quit);
  const opened: Trace[] = [];
  try {
    const look = { paint: paint(io.color), ascii: options.ascii ?? false };
    const { trace, expected, stack } = await openTraceOrCase(io, name, options.stack ?? [], scratch);
    opened.push(trace);
    if (trace.transitions.rows === 0) throw new InputError(`${name}: there are no transitions to replay`);
    const otherTrace = await openOther(io, trace, { ...options, stack }, scratch);
    if (otherTrace !== null) opened.push(otherTrace);
    const other = otherTrace === null ? null : openSession(otherTrace, look, null);
    let session = openSession(trace, { ...look, opened: name }, other);
    await alignRuns(io, session);
    if (needsAnalysis(session) && session.rows.count <= ANALYZED_FIRST)
      session = { ...session, stored: await findingsOf(session, io.signal) };
    const isKept = !trace.dir.startsWith(scratch);
    const start = { ...(await startOf(session, { ...expected, ...options }, isKept ? loadKept(trace) : {})) };
    await show(io, session, start, scratch, isKept);
    if (io.signal.aborted) io.exitCode = io.signal.reason === "SIGTERM" ? 143 : 130;
  } finally {
    for (const trace of opened) trace.close();
    clean();
    process.off("exit", clean);
    process.off("SIGHUP", hangUp);
    process.off("SIGQUIT", quit);
  }
}

/** 128 and the signal's number, as a shell tells it. */
const hangUp = (): never => process.exit(129);
const quit = (): never => process.exit(131);

interface Opened {
  readonly trace: Trace;
  /** Where a case says what is to be seen. */
  readonly expected?: Pick<ReplayOptions, "finding">;
  /** The stack to lay beside it. */
  readonly stack?: StackName | undefined;
}

async function openTraceOrCase(io: Io, name: string, stacks: readonly StackName[], scratch: string): Promise<Opened> {
  const isTrace = existsSync(path.join(name, ARROW_NAME)) || isPacked(name);
  const dir = path.join(scratch, "one.trace");
  const given = isTrace ? null : caseIn(name);
  if (isTrace || given !== null) {
    if (stacks.length > 1) throw new InputError(`--stack: ${name} has its stack; give one other, to stand beside it`);
    const opened = given === null ? { trace: await openForCommand(io, name) } : await openCaseFile(io, given, name, dir);
    return { ...opened, stack: otherThan(name, opened.trace, stacks[0]) };
  }
  const [stack = DEFAULT_STACK, beside, ...more] = stacks;
  if (more.length > 0) throw new InputError("--stack: at most two stand side by side; eintr compare lays any number beside Linux");
  // Scenarios and logs are not read for a trace.
  const { openCase, recordCase } = await import("../recording.ts");
  await recordCase(io, await openCase(io, name), dir, { stack, fixes: [], scheduler: "scripted", force: false });
  if (io.signal.aborted) throw new InputError(`${name}: interrupted while it was recorded`);
  const trace = await openForCommand(io, dir);
  await judgeAndKeep(io, trace);
  if (stacks.length > 0 && trace.info.origin === "imported")
    throw new InputError(`--stack: ${name} is shown as it happened, on no stack of ours; leave --stack out`);
  return { trace, stack: beside };
}

/** A run beside itself would seem to say that nothing is wrong. */
function otherThan(name: string, { info }: Trace, stack: StackName | undefined): StackName | undefined {
  if (stack === info.stack) throw new InputError(`--stack: ${name} is of ${stack}; leave it out, or give another to stand beside it`);
  return stack;
}

/** The run of a case file, from `eintr case`, at the finding that it expects. */
async function openCaseFile(io: Io, given: CaseFile, name: string, dir: string): Promise<Opened> {
  const { runCase } = await import("../cases/run.ts");
  const { failures } = await runCase(given, { where: name, signal: io.signal, keep: dir });
  for (const failure of failures) io.talk(`${name}: ${safe(failure)}\n`);
  const trace = await openForCommand(io, dir);
  const wanted = given.expect.flatMap((one) => (one.is === "finding" ? [one] : []))[0];
  const found = trace.ask("SELECT id, rule, fingerprint FROM finding ORDER BY id");
  const finding = found.find(([, rule, print]) => rule === wanted?.rule && print === (wanted?.fingerprint ?? print))?.[0];
  return typeof finding === "number" ? { trace, expected: { finding } } : { trace };
}

async function openOther(
  io: Io,
  trace: Trace,
  options: Omit<ReplayOptions, "stack"> & Pick<Opened, "stack">,
  scratch: string,
): Promise<Trace | null> {
  const isOtherwise = options.fix !== undefined || options.option !== undefined || options.stack !== undefined;
  if (options.with !== undefined && isOtherwise)
    throw new InputError(`${options.with} is the other run already: leave out --fix, --option and --stack`);
  if (options.with !== undefined) return openForCommand(io, options.with);
  if (!isOtherwise) return null;
  const { info } = trace;
  const fixes = [...new Set([...info.fixes, ...(options.fix ?? [])])].flatMap((fix) => fixNames(fix));
  // The same decisions, as `eintr rerun --fix` has them: only the change makes the difference.
  const chosen = [...new Set([...info.options, ...(options.option ?? [])])].flatMap((option) => optionNames(option));
  const run = runOf(trace, { fixes, options: chosen, ...(options.stack === undefined ? {} : { stack: options.stack }) });
  const dir = path.join(scratch, "other.trace");
  noteIgnored(io, [run.options.stack], [...(options.fix ?? []), ...(options.option ?? [])]);
  await recordOther(io, run, dir, { ...info, stack: run.options.stack, fixes: [...fixes], options: optionsOf(run.options) }, trace);
  if (io.signal.aborted) throw new InputError("interrupted while the other run was recorded");
  return openForCommand(io, dir);
}

async function alignRuns(io: Io, session: ReplaySession): Promise<void> {
  const progress = startProgress();
  try {
    const laid = await alignCalls(session, io.signal, (done, total) => progress.update("aligning the two runs", done, total));
    if (!laid) throw new InputError("interrupted while the two runs were aligned");
  } catch (error) {
    // A damaged trace: the pane says so, where it is to be seen.
    if (!(error instanceof TraceError)) throw error;
  } finally {
    progress.end();
  }
}

/** Up to the same virtual time, where the trace was cut. */
async function recordOther(io: Io, run: Run, dir: string, info: RunInfo, { transitions }: Trace): Promise<void> {
  const progress = startProgress();
  const { end, rows } = transitions;
  try {
    await record(run, dir, info, {
      rows: MORE_ROWS * rows,
      stopAtNs: end?.reason === "finished" ? undefined : timeOfLast(transitions),
      signal: io.signal,
      onProgress: ({ rows: made }) => progress.update("running the other one", made, null),
    });
  } finally {
    progress.end();
  }
}

async function startOf(session: ReplaySession, options: ReplayOptions, kept: Kept): Promise<Partial<ReplayState>> {
  const { seq: left, thread: leftThread, pane, ...stays } = kept;
  const place = await placeOf(session, options);
  const isAsked = options.at !== undefined || options.finding !== undefined;
  if (isAsked || left === undefined || session.other !== null) return { ...stays, ...place };
  const back = { seq: left, thread: leftThread ?? 0, ...(pane === undefined ? {} : { pane }) };
  return { ...stays, ...place, ...back, message: "here you left it; } goes to the finding, ( and ) between differences, < to the start" };
}

async function placeOf(session: ReplaySession, options: ReplayOptions): Promise<Partial<ReplayState>> {
  const at = (seq: number): Partial<ReplayState> => {
    const row = session.rows.at(Math.min(seq, session.rows.count - 1));
    return { seq: row?.seq ?? 0, thread: row?.thread ?? 0 };
  };
  const { at: seq = 0 } = options;
  if (seq >= session.rows.count) throw new InputError(`--at: seq ${seq} is after the last transition, ${session.rows.count - 1}`);
  if (options.finding === undefined && options.at === undefined) return opening(session, session.stored ?? []);
  if (options.finding === undefined) return { ...at(seq), ...(session.other === null ? {} : { pane: "compare" }) };
  if (isTooLongToAnalyze(session))
    throw new InputError(
      `--finding: not all rules looked through this trace yet; eintr analyze ${session.trace.dir} has them do it, it is a long one`,
    );
  // Only who asks for a finding waits for the rules.
  const findings = await findingsOf(session);
  const finding = findings[options.finding - 1];
  if (finding === undefined)
    throw new InputError(
      `--finding: there is no finding ${options.finding}; ${findings.length === 0 ? "there are none" : `they are numbered 1 to ${findings.length}`}`,
    );
  const first = finding.evidence[0]?.seq ?? finding.firstSeq;
  return { ...at(first), findings, looking: false, finding: options.finding - 1, evidence: 0, pane: "findings", message: finding.title };
}

async function show(io: Io, session: ReplaySession, start: Partial<ReplayState>, scratch: string, isKept: boolean): Promise<void> {
  const screen = enterScreen(process.stdout);
  let others = 0;
  const beside: ReplayProps["beside"] = (of, chosen, stop, told) =>
    besideOther(of, chosen, path.join(scratch, `beside-${others++}.trace`), stop, told);
  const app = render(
    <Replay
      session={session}
      start={start}
      copy={screen.copy}
      picture={writePicture}
      save={saveNew}
      suspend={screen.suspend}
      beside={beside}
      keep={isKept ? (s) => keep(session.trace, s) : keepsNothing}
    />,
    INK_OPTIONS,
  );
  const stop = (): void => app.unmount();
  screen.drawnBy(stop);
  io.signal.addEventListener("abort", stop);
  try {
    await app.waitUntilExit();
  } finally {
    io.signal.removeEventListener("abort", stop);
    screen.leave();
  }
}

/** Why it is not kept; "" when it is. */
function keep(trace: Trace, s: ReplayState): string {
  try {
    saveKept(trace, s);
    return "";
  } catch (error) {
    return `not kept with the trace (${(error as NodeJS.ErrnoException).code ?? String(error)}): ${trace.dir} cannot be written to`;
  }
}

/** What is recorded for the time of the replay is gone after it. */
const keepsNothing = ({ bookmarks }: ReplayState): string =>
  bookmarks.length === 0 ? "" : "bookmarks and notes stay with a recorded trace only: this one is gone after the replay";

const writePicture = (lines: readonly string[], columns: number): string => saveNew("eintr-screen", "svg", svgOf(lines, columns));

/** To a file that is not there yet. Throws InputError. */
function saveNew(base: string, extension: string, text: string): string {
  const file = freeName(base, extension);
  try {
    writeFileSync(file, text, { flag: "wx" });
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new InputError(`${file} cannot be written (${why}): start eintr in a folder that you may write to`);
  }
  return file;
}

function freeName(base: string, extension: string): string {
  for (let n = 1; ; n += 1) {
    const file = n === 1 ? `${base}.${extension}` : `${base}-${n}.${extension}`;
    if (!existsSync(file)) return file;
  }
}
