/** `eintr compare`: cases on every stack, side by side. */

import { Command, Option } from "commander";
import { type FixName, type OptionName, STACK_NAMES, type StackName } from "../../engine/index.ts";
import { openCase, type ScenarioCase } from "../case.ts";
import { type Chosen, compareCase } from "../comparing.ts";
import { InputError, type Io } from "../io.ts";
import { fixOption, manifestOption, noteIgnored, stackNames, timeOption, WHERE_SWITCHES_ARE, wholeNumber } from "../options.ts";
import { type ComparedCase, caseMarkdown, casesMarkdown, isAlike, legend, matrixJson, matrixText } from "../present/matrix.ts";
import { safeJson } from "../present/safe.ts";
import { paint } from "../present/style.ts";
import { startProgress } from "../progress.ts";

/** Of a file or a pipe. */
const PLAIN_COLUMNS = 140;

interface Options {
  stack?: StackName[];
  fix?: FixName[];
  option?: OptionName[];
  rows?: number;
  time?: number;
  format: "text" | "markdown" | "json";
}

export function compareCommand(io: Io): Command {
  return new Command("compare")
    .description("run cases on all stacks and lay them side by side: outcome, first difference, findings, time, enclave exits")
    .argument("<case...>", "built-in scenarios (eintr scenarios), scenario files, logs of `strace -f -ttt -T`")
    .addOption(new Option("--stack <name>", `only this stack; may be repeated (default: ${STACK_NAMES.join(", ")})`).argParser(stackNames))
    .addOption(fixOption())
    .addOption(manifestOption())
    .option("--rows <n>", "at most so many transitions a run (default: the scenario's limit)", wholeNumber("--rows", 1))
    .option("--time <duration>", "at most so much virtual time, such as 500ms or 10s", timeOption)
    .addOption(
      new Option("--format <name>", "text, Markdown, or one JSON object a case").choices(["text", "markdown", "json"]).default("text"),
    )
    .addHelpText(
      "after",
      `
Each run is recorded, judged and analyzed as record and analyze do it, in a
temporary folder. A switch counts on the stacks that know it. In Markdown one
case is a table of its stacks, and many are one table with a row for each.

Exit code: 0 the application fares as on Linux everywhere and nothing is found,
1 it does not, or something is found, 2 wrong use or input.

${WHERE_SWITCHES_ARE}

Examples:
  eintr compare lost-interrupted-error
  eintr compare w1-read-stale w12-pause-alarm --format markdown
  eintr compare my-case.yaml --stack native-linux --stack graphene-sgx
  eintr compare nested --stack graphene-linux,graphene-sgx --format json
  eintr compare lost-interrupted-error --fix sgx-interrupted-code-lost
  eintr compare program.strace`,
    )
    .action(async (names: readonly string[], options: Options) => {
      const stacks = options.stack ?? STACK_NAMES;
      const fixes = options.fix ?? [];
      const manifest = options.option ?? [];
      noteIgnored(io, stacks, [...fixes, ...manifest]);
      const cases: ScenarioCase[] = [];
      for (const name of names) cases.push(await scenarioNamed(io, name, options));
      const compared = await compareAll(io, cases, { stacks, fixes, options: manifest });
      await io.out(textOf(compared, options.format, io));
      if (options.format === "text") io.talk(legend(compared, io.columns ?? PLAIN_COLUMNS));
      if (!compared.every(isAlike)) io.exitCode = 1;
    });
}

/** Throws what `openCase` throws, and InputError for what was recorded somewhere else. */
async function scenarioNamed(io: Io, name: string, limits: Pick<Options, "rows" | "time">): Promise<ScenarioCase> {
  const what = await openCase(io, name, { rows: limits.rows, time: limits.time });
  if (what.is === "scenario") return what;
  what.close();
  throw new InputError(`${name} is ${what.importer.text}: it is kept as it happened, and cannot be run on other stacks`);
}

async function compareAll(io: Io, cases: readonly ScenarioCase[], chosen: Chosen): Promise<ComparedCase[]> {
  const progress = startProgress();
  try {
    const compared: ComparedCase[] = [];
    for (const what of cases) {
      const rows = await compareCase(io, what, chosen, progress);
      const [first] = rows;
      if (first?.is === "refused" && rows.every(({ is }) => is === "refused")) throw new InputError(first.why);
      compared.push({ name: what.name, title: what.scenario.title, rows });
    }
    return compared;
  } finally {
    progress.end();
  }
}

function textOf(cases: readonly ComparedCase[], format: Options["format"], io: Io): string {
  const [first, ...more] = cases;
  if (format === "json") return cases.map((one) => `${safeJson(matrixJson(one))}\n`).join("");
  if (format === "markdown") return first === undefined || more.length > 0 ? casesMarkdown(cases) : caseMarkdown(first);
  return cases.map((one) => matrixText(one, paint(io.color), io.columns ?? PLAIN_COLUMNS)).join("\n");
}
