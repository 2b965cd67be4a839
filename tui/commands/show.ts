/** `eintr show`: an interval of a trace in the two-column form of the page. */

import { Command, Option } from "commander";
import { kindName, type ThreadInfo } from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";
import { allRulesRan } from "../analyzing.ts";
import { around, rowsOfThread, threadAt } from "../interval.ts";
import { InputError, type Io } from "../io.ts";
import { openForCommand } from "../opening.ts";
import { wholeNumber } from "../options.ts";
import { safeJson } from "../present/safe.ts";
import { MIN_WIDTH, PLAIN_WIDTH } from "../present/two-column.ts";
import { draw, moreFollow } from "../showing.ts";

interface Options {
  from?: number;
  to?: number;
  around?: number;
  finding?: number;
  thread?: string;
  rows: number;
  width?: number;
  all?: boolean;
  ascii?: boolean;
  format: "text" | "json";
}

interface Chosen {
  readonly thread: number;
  readonly from: number;
  readonly to: number;
  readonly marks: ReadonlyMap<number, string>;
}

/** Rows of the thread shown before and after the seq of --around. */
const AROUND_ROWS = 40;

export function showCommand(io: Io): Command {
  return new Command("show")
    .description("draw an interval: normal context on the left, signal context on the right")
    .argument("<trace>", "trace folder")
    .option("--from <seq>", "first transition (default: the first)", wholeNumber("--from"))
    .option("--to <seq>", "last transition (default: the last)", wholeNumber("--to"))
    .option("--around <seq>", `${AROUND_ROWS} transitions of the thread before and after this one`, wholeNumber("--around"))
    .option("--finding <n>", "a finding with its evidence (after eintr analyze)", wholeNumber("--finding", 1))
    .option("--thread <name>", "the thread, by name or number (default: that of the first transition shown)")
    .option("--rows <n>", "at most so many transitions", wholeNumber("--rows", 1), 500)
    .option("--width <cells>", `width of the drawing, at least ${MIN_WIDTH} (default: the terminal's)`, wholeNumber("--width", MIN_WIDTH))
    .option("--all", "every transition: fold nothing, leave no branch out")
    .option("--ascii", "draw with plain characters")
    .addOption(new Option("--format <name>", "the drawing, or one JSON object a transition").choices(["text", "json"]).default("text"))
    .addHelpText(
      "after",
      `
A row is: seq, layer, the step. [CSSA n] is the enclave's SSA frame after an
AEX, EENTER, EEXIT or ERESUME; the bar at the right is drawn while the processor
is inside the enclave. […n] means n transitions are folded into that line.

Examples:
  eintr show a.trace --finding 1
  eintr show a.trace --from 80 --to 110 --all
  eintr show a.trace --around 143 --thread main --width 120
  eintr show a.trace --format json | head`,
    )
    .action(async (dir: string, options: Options) => {
      const trace = await openForCommand(io, dir);
      try {
        const chosen = choose(trace, options);
        if (options.format === "json") return await printJson(io, trace, chosen, options.rows);
        const width = options.width ?? Math.max(io.columns ?? PLAIN_WIDTH, MIN_WIDTH);
        const { all = false, ascii = false, rows: most } = options;
        await draw(io, trace, { ...chosen, width, most, all, ascii });
      } finally {
        trace.close();
      }
    });
}

function choose(trace: Trace, options: Options): Chosen {
  const last = trace.transitions.rows - 1;
  if (last < 0) throw new InputError(`${trace.dir}: there are no transitions`);
  if (options.finding !== undefined) return findingInterval(trace, options.finding);
  const at = options.around ?? options.from ?? 0;
  if (at > last) throw new InputError(`${trace.dir}: seq ${at} is after the last transition, ${last}`);
  const thread = options.thread === undefined ? threadAt(trace, at) : threadNamed(trace.threads, options.thread);
  if (thread === null) throw new InputError(`${trace.dir}: there is no seq ${at}`);
  if (options.around !== undefined)
    return { thread, ...around(trace, thread, options.around, AROUND_ROWS), marks: new Map([[options.around, "here"]]) };
  const to = Math.min(options.to ?? last, last);
  if (to < at) throw new InputError(`--to ${to} is before --from ${at}`);
  return { thread, from: at, to, marks: new Map() };
}

function threadNamed(threads: readonly ThreadInfo[], text: string): number {
  const byName = threads.findIndex((thread) => thread.name === text);
  const index = byName >= 0 ? byName : Number(text);
  if (threads[index] !== undefined) return index;
  throw new InputError(
    `--thread: no thread "${text}"; there are: ${threads
      .map((thread) => thread.name)
      .slice(0, 20)
      .join(", ")}`,
  );
}

/** Throws InputError when there is no such finding. */
export function findingInterval(trace: Trace, id: number): Chosen {
  const [finding] = trace.ask("SELECT thread, first_seq, last_seq FROM finding WHERE id = ?", id);
  if (finding === undefined) {
    const known = Number(trace.ask("SELECT count(*) FROM finding")[0]?.[0]);
    const none = allRulesRan(trace) ? "nothing was found in this trace" : `run eintr analyze ${trace.dir} first`;
    const why = known > 0 ? `they are numbered 1 to ${known}` : none;
    throw new InputError(`${trace.dir}: no finding ${id}; ${why}`);
  }
  const evidence = trace.ask("SELECT seq, caption FROM evidence WHERE finding = ? ORDER BY position", id);
  const [thread, from, to] = finding;
  return {
    thread: Number(thread ?? 0),
    from: Number(from),
    to: Number(to),
    marks: new Map(evidence.map(([seq, caption]) => [Number(seq), String(caption)])),
  };
}

async function printJson(io: Io, trace: Trace, { thread, from, to }: Chosen, most: number): Promise<void> {
  const { rows, cut } = await rowsOfThread(io, trace, thread, from, to, most);
  const unknown = Object.fromEntries(trace.absent.map((name) => [name, null]));
  for (const row of rows) {
    const site = trace.sites[row.site];
    const names = { kind: kindName(row.kind), flow: site?.flow, label: site?.label, layer: site?.layer, context: site?.context };
    await io.out(`${safeJson({ ...row, ...unknown, ...names, detail: trace.texts[row.detail] ?? "" })}\n`);
  }
  if (cut) io.talk(moreFollow(rows, most));
}
