/** `eintr rerun`: the same run again, checked; or another one, with a fix, on another stack, with another decision. */

import { Command } from "commander";
import {
  firstDifferingRow,
  nameOfRun,
  observeRun,
  observeTrace,
  ofWeight,
  type RowDifference,
  runName,
  runOf,
  type Verdict,
  verdictOf,
  withDecision,
} from "../../analyzer/index.ts";
import {
  COLUMN_NAMES,
  type Decision,
  type FixName,
  kindName,
  type OptionName,
  optionsOf,
  type Run,
  type StackName,
  type Transition,
} from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";
import type { Io } from "../io.ts";
import { openForCommand } from "../opening.ts";
import { fixOption, manifestOption, noteIgnored, stackOption, WHERE_SWITCHES_ARE } from "../options.ts";
import { safe } from "../present/safe.ts";
import { startProgress } from "../progress.ts";

/** Another run may take another number of transitions for the same time; so many times more at most, and a few. */
const MORE_ROWS = 10;
const SLACK_ROWS = 16_384;

interface Options {
  stack?: StackName;
  fix?: FixName[];
  option?: OptionName[];
  decide?: string[];
}

export function rerunCommand(io: Io): Command {
  return new Command("rerun")
    .description("run a trace's scenario again and check that every transition is the same, or see what would be different")
    .argument("<trace>", "trace folder")
    .addOption(fixOption())
    .addOption(manifestOption())
    .addOption(stackOption())
    .option("--decide <seq:point=choice>", "change one decision; may be repeated", (text: string, before: string[] = []) => [
      ...before,
      text,
    ])
    .addHelpText(
      "after",
      `
Every transition is compared with the recording, with --decide as well; the
first difference is named by its seq. With --fix, --option or --stack it is
another run: what the application would have seen is compared instead, call by
call.

${WHERE_SWITCHES_ARE}

Examples:
  eintr rerun a.trace
  eintr rerun a.trace --fix sgx-interrupted-code-lost
  eintr rerun a.trace --stack native-linux
  eintr rerun a.trace --decide 120:arrive=1`,
    )
    .action(async (dir: string, options: Options) => {
      const trace = await openForCommand(io, dir);
      try {
        if (options.stack !== undefined || options.fix !== undefined || options.option !== undefined)
          await counterfactual(io, trace, options);
        else await check(io, trace, options.decide);
      } finally {
        trace.close();
      }
    });
}

const decisionsOf = (trace: Trace, changes: readonly string[] | undefined): readonly Decision[] =>
  (changes ?? []).reduce<readonly Decision[]>(withDecision, trace.decisions);

async function check(io: Io, trace: Trace, decide: readonly string[] | undefined): Promise<void> {
  const run = runOf(trace, { decisions: decisionsOf(trace, decide) });
  const progress = startProgress();
  const total = trace.transitions.rows;
  const found = await firstDifferingRow(trace, run, (rows) => {
    progress.update("comparing", rows, total);
    return !io.signal.aborted;
  }).finally(() => progress.end());
  if (io.signal.aborted) {
    io.exitCode = 130;
    return;
  }
  if (decide !== undefined) tellUnanswered(io, trace, run, found?.seq ?? reached(run));
  const lists = found === null ? differingLists(trace, run) : [];
  if (found === null && lists.length === 0) return io.out(`${total} transitions, all the same as recorded\n`);
  io.exitCode = 1;
  if (found === null) return io.out(`${total} transitions, the same but for their ${lists.join(" and ")}\n`);
  await io.out(describe(trace, run, found));
}

/** The seq that a run has come to; what lies behind its end is never met. */
const reached = (run: Run): number => (run.ending === null ? run.machine.seq : Number.POSITIVE_INFINITY);

/** A changed decision that met no question is most likely a wrong seq. */
function tellUnanswered(io: Io, trace: Trace, run: Run, until: number): void {
  const recorded = new Set(trace.decisions);
  const changed = run.unanswered.filter((decision) => decision.seq < until && !recorded.has(decision));
  for (const { seq, point, choice } of changed)
    io.talk(
      `${seq}:${point}=${choice} changed nothing: no such choice is met there. ` +
        "A choice of thread needs two that can run, one of arrive a signal to deliver.\n",
    );
}

/** Names the rows speak of. The run may have interned more than a recording that was cut short has. */
function differingLists(trace: Trace, run: Run): string[] {
  const same = (a: readonly unknown[], b: readonly unknown[]) => JSON.stringify(a) === JSON.stringify(b.slice(0, a.length));
  return [...(same(trace.texts, run.texts) ? [] : ["texts"]), ...(same(trace.threads, run.threads) ? [] : ["threads"])];
}

function describe(trace: Trace, run: Run, { seq, columns, recorded, again }: RowDifference): string {
  const what = columns.length > 0 ? ` (${columns.join(", ")})` : "";
  return `first difference at seq ${seq}${what}\n  recorded: ${rowText(recorded, trace)}\n  again:    ${rowText(again, run)}\n`;
}

function rowText(t: Transition | null, names: Pick<Trace, "sites" | "threads">): string {
  if (t === null) return "ends here";
  const site = names.sites[t.site];
  const numbers = COLUMN_NAMES.filter((name) => name !== "site" && name !== "kind" && name !== "thread" && t[name] !== 0);
  const place = `${safe(names.threads[t.thread]?.name ?? "?", 30)}  ${safe(`${site?.flow}: ${site?.label}`, 100)}`;
  return `${place}  ${kindName(t.kind)}  ${numbers.map((name) => `${name}=${t[name]}`).join(" ")}`;
}

async function counterfactual(io: Io, trace: Trace, { stack, fix, option, decide }: Options): Promise<void> {
  const decisions = decisionsOf(trace, decide);
  const before = runOf(trace).options;
  const changes = {
    stack,
    fixes: fix === undefined ? undefined : [...new Set([...(before.fixes ?? []), ...fix])],
    options: option === undefined ? undefined : [...new Set([...(before.options ?? []), ...option])],
    decisions,
  };
  const after = runOf(trace, changes);
  noteIgnored(io, [after.options.stack], [...(fix ?? []), ...(option ?? [])]);
  const verdict = await compareWith(io, trace, after);
  if (verdict === null) {
    io.exitCode = 130;
    return;
  }
  const differences = ofWeight(verdict, "differs");
  const others = verdict.differences.length - differences.length;
  io.talk(`${nameOfRun(trace)}  against  ${verdict.other}: ${verdict.compared} calls and handlers compared\n`);
  const [outcome] = verdict.outcomes;
  io.talk(`before: ${outcome?.text ?? ""}\nafter:  ${outcome?.otherText ?? ""}\n`);
  if (decide !== undefined) tellUnanswered(io, trace, after, reached(after));
  if (others > 0) io.talk(`${others} more came at another moment, or lie beyond the end of one of the runs\n`);
  if (differences.length === 0) return io.out("the application sees the same\n");
  io.exitCode = 1;
  for (const { thread, what, one, other } of differences) {
    await io.out(`seq ${one.seq ?? other.seq}  ${safe(thread, 30)}  ${safe(what, 60)}: ${safe(one.text)} -> ${safe(other.text)}\n`);
  }
}

/** The recorded run beside another: that one goes to its end, or as far as the recorded one came. Null when it was interrupted. */
async function compareWith(io: Io, trace: Trace, after: Run): Promise<Verdict | null> {
  const progress = startProgress();
  const onProgress = (rows: number): void => progress.update(`comparing, ${rows.toLocaleString("en")} transitions`, rows, null);
  const patience = { signal: io.signal, onProgress };
  try {
    const one = await observeTrace(trace, nameOfRun(trace), patience);
    if (one === null) return null;
    const untilNs = one.ends.run === "finished" ? Number.POSITIVE_INFINITY : one.time;
    const name = runName({ stack: after.options.stack, fixes: [...(after.options.fixes ?? [])], options: optionsOf(after.options) });
    const bounds = { rows: MORE_ROWS * Math.max(trace.transitions.rows, 1) + SLACK_ROWS, untilNs };
    const other = await observeRun(after, { name, program: trace.info.scenarioText }, bounds, patience);
    return other === null ? null : await verdictOf(one, other, [], { signal: io.signal });
  } finally {
    progress.end();
  }
}
