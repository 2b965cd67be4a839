/** `eintr check`: cases as a regression suite. */

import { mkdirSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { Command, Option } from "commander";
import { readCase } from "../cases/file.ts";
import { CASE_EXTENSION, parseCase } from "../cases/form.ts";
import { runCase } from "../cases/run.ts";
import { junitXml } from "../documents/junit.ts";
import { InputError, Interrupted, type Io } from "../io.ts";
import { safe, safeJson } from "../present/safe.ts";
import { paint } from "../present/style.ts";
import { startProgress } from "../progress.ts";
import { printTo } from "../to-file.ts";
import { wordsFor } from "../user-errors.ts";

interface Options {
  format: "text" | "json" | "junit";
  output?: string;
  force?: boolean;
  keep?: string;
}

/** What became of one file. */
interface Checked {
  readonly file: string;
  /** Of the case; of a broken file its name. */
  readonly title: string;
  readonly failures: readonly string[];
  /** The file is no case, or its scenario is wrong. */
  readonly broken: boolean;
  readonly seconds: number;
}

const MOST_FILES = 100_000;

export function checkCommand(io: Io): Command {
  return new Command("check")
    .description("run cases and compare with what they expect: a regression suite")
    .argument("<cases...>", `files of eintr case, or folders with *${CASE_EXTENSION} in them`)
    .addOption(
      new Option("--format <name>", "text, one JSON object a case, or JUnit for CI").choices(["text", "json", "junit"]).default("text"),
    )
    .option("-o, --output <file>", "file to write (default: stdout)")
    .option("--force", "replace a file that is there")
    .option("--keep <dir>", "keep the trace of each case in this folder, to look at it")
    .addHelpText(
      "after",
      `
Exit code: 0 all hold, 1 some do not, 2 a file is no case or wrong use.

Examples:
  eintr check cases
  eintr check cases --format junit -o results.xml
  eintr check lost${CASE_EXTENSION} --keep traces && eintr replay traces/lost.trace`,
    )
    .action(async (given: string[], options: Options) => {
      const files = given.flatMap(filesOf);
      const checked: Checked[] = [];
      const progress = startProgress();
      await printTo(io, options.output, options.force === true, async (to) => {
        try {
          for (const file of files) {
            progress.update(`checking ${safe(file, 40)}`, checked.length, files.length);
            const one = await checkFile(io, file, options.keep);
            checked.push(one);
            if (options.format === "junit") continue;
            progress.end();
            await to.out(options.format === "json" ? `${safeJson(one)}\n` : textOf(one, to));
          }
        } finally {
          progress.end();
        }
        if (options.format === "junit") await to.out(junitOf(checked));
      });
      const bad = checked.filter(({ failures }) => failures.length > 0);
      const good = checked.length - bad.length;
      io.talk(
        `${checked.length} ${checked.length === 1 ? "case" : "cases"}: ${good} ${good === 1 ? "holds" : "hold"}, ${bad.length} failed\n`,
      );
      io.exitCode = bad.some(({ broken }) => broken) ? 2 : bad.length > 0 ? 1 : 0;
    });
}

/** Throws InputError for what is not there, and for a folder without cases. */
function filesOf(given: string): string[] {
  const stat = statSync(given, { throwIfNoEntry: false });
  if (stat === undefined) throw new InputError(`${given}: there is no such file or folder`);
  if (!stat.isDirectory()) return [given];
  const found: string[] = [];
  for (const entry of readdirSync(given, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(CASE_EXTENSION)) continue;
    found.push(path.join(entry.parentPath, entry.name));
    if (found.length > MOST_FILES) throw new InputError(`${given}: more than ${MOST_FILES} cases`);
  }
  if (found.length === 0) throw new InputError(`${given}: no *${CASE_EXTENSION} in it; eintr case TRACE writes one`);
  return found.sort();
}

async function checkFile(io: Io, file: string, keep: string | undefined): Promise<Checked> {
  const began = performance.now();
  const done = (title: string, failures: readonly string[], broken = false): Checked => ({
    file,
    title,
    failures,
    broken,
    seconds: (performance.now() - began) / 1000,
  });
  try {
    const what = parseCase(readCase(file), file);
    const options = { where: file, signal: io.signal, keep: keep === undefined ? undefined : keptIn(keep, file) };
    const { failures, unanswered } = await runCase(what, options);
    const old =
      failures.length > 0 && unanswered > 0
        ? [`${unanswered} of its decisions met no choice: it was made by eintr ${what.madeBy}, and this one emulates otherwise`]
        : [];
    return done(what.title, [...failures, ...old]);
  } catch (error) {
    if (error instanceof Interrupted || io.signal.aborted) throw new Interrupted();
    const words = wordsFor(error);
    if (words === null) throw error;
    return done(path.basename(file), [words], true);
  }
}

function keptIn(keep: string, file: string): string {
  mkdirSync(keep, { recursive: true });
  return path.join(keep, `${path.basename(file).replace(/(\.case)?\.ya?ml$/, "")}.trace`);
}

function textOf({ file, title, failures, seconds }: Checked, { color }: Io): string {
  const { strong, warn } = paint(color);
  const head = failures.length === 0 ? "ok  " : warn("FAIL");
  const lines = failures.flatMap((failure) => failure.split("\n")).map((line) => `        ${safe(line)}`);
  return [`${head}  ${safe(file)}: ${strong(safe(title))} (${seconds.toFixed(2)} s)`, ...lines].map((line) => `${line}\n`).join("");
}

const junitOf = (checked: readonly Checked[]): string =>
  junitXml(
    "eintr check",
    checked.map(({ file, title, failures, broken, seconds }) => ({
      group: safe(file),
      name: safe(title),
      seconds,
      failure:
        failures.length === 0
          ? null
          : {
              message: safe(failures[0] ?? ""),
              type: broken ? "no case" : "expectation",
              text: failures.map((one) => safe(one)).join("\n"),
            },
    })),
  );
