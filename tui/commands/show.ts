/** `eintr show`: an interval of a trace in the two-column form of the page. */

import { Command, Option } from "commander";
import { kindName, type ThreadInfo } from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";
import { around, rowsOfThread, threadAt } from "../interval.ts";
import { InputError, type Io } from "../io.ts";
import { openForCommand } from "../opening.ts";
import { wholeNumber } from "../options.ts";
import { safeJson } from "../present/safe.ts";
import { MIN_WIDTH, PLAIN_WIDTH } from "../present/two-column.ts";
import { draw, moreFollow, PICTURE_FORMS, type PictureForm, picture } from "../showing.ts";
import { type Stretch, stretchOfFinding } from "../stretch.ts";
import { printTo } from "../to-file.ts";

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
  format: "text" | "json" | PictureForm;
  output?: string;
  force?: boolean;
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
    .addOption(
      new Option("--format <name>", "the drawing, also for documents; or one JSON object a transition")
        .choices(["text", "json", ...PICTURE_FORMS])
        .default("text"),
    )
    .option("-o, --output <file>", "file to write (default: stdout)")
    .option("--force", "replace a file that is there")
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
  eintr show a.trace --finding 1 --format svg -o finding.svg
  eintr show a.trace --finding 1 --format mermaid
  eintr show a.trace --format json | head`,
    )
    .action(async (dir: string, options: Options) => {
      const trace = await openForCommand(io, dir);
      try {
        const chosen = choose(trace, options);
        const { output, force = false } = options;
        await printTo(io, output, force, (to) => show(to, trace, chosen, options));
      } finally {
        trace.close();
      }
    });
}

async function show(io: Io, trace: Trace, chosen: Stretch, options: Options): Promise<void> {
  const { format, all = false, ascii = false, rows: most } = options;
  if (format === "json") return printJson(io, trace, chosen, most);
  const width = options.width ?? Math.max(io.columns ?? PLAIN_WIDTH, MIN_WIDTH);
  const drawing = { ...chosen, width, most, all, ascii };
  if (format === "text") return draw(io, trace, drawing);
  const { text, leftOut } = await picture(io, trace, drawing, format);
  await io.out(text);
  io.talk(leftOut);
}

function choose(trace: Trace, options: Options): Stretch {
  const last = trace.transitions.rows - 1;
  if (last < 0) throw new InputError(`${trace.dir}: there are no transitions`);
  if (options.finding !== undefined) return stretchOfFinding(trace, options.finding);
  const at = options.around ?? options.from ?? 0;
  const option = options.around === undefined ? "--from" : "--around";
  if (at > last) throw new InputError(`${option}: seq ${at} is after the last transition of ${trace.dir}, ${last}`);
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

async function printJson(io: Io, trace: Trace, { thread, from, to }: Stretch, most: number): Promise<void> {
  const { rows, cut } = await rowsOfThread(io, trace, thread, from, to, most);
  const unknown = Object.fromEntries(trace.absent.map((name) => [name, null]));
  for (const row of rows) {
    const site = trace.sites[row.site];
    const names = { kind: kindName(row.kind), flow: site?.flow, label: site?.label, layer: site?.layer, context: site?.context };
    await io.out(`${safeJson({ ...row, ...unknown, ...names, detail: trace.texts[row.detail] ?? "" })}\n`);
  }
  if (cut) io.talk(moreFollow(rows, most));
}
