/**
 * Prediction by log: strace logs of small programs, recorded on a real kernel, run on native-linux and on gramine-linux. What the runs tell
 * stands in the golden beside what the real kernel and the real Gramine answered (`fixtures/gramine/answers.md`). Ends and errors are compared
 * here; the rest of each line was, when it was written, and is again by whoever changes one.
 */

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { parseScenario, resultText, type StackName } from "../../engine/index.ts";
import { straceToScenario } from "../../recorder/import/strace/index.ts";
import { expectGolden } from "../support/golden.ts";
import { type Ran, rowsOf, runScenario } from "../support/run-scenario.ts";
import { storyLine } from "../support/story-line.ts";

const FOLDER = new URL("../fixtures/gramine/", import.meta.url);

interface Program {
  readonly name: string;
  readonly question: string;
  readonly answers: Readonly<Record<"Linux" | "Gramine", string>>;
}

/** `| program | question | Linux | Gramine |` */
const PROGRAMS: readonly Program[] = readFileSync(new URL("answers.md", FOLDER), "utf8")
  .split("\n")
  .flatMap((line) => {
    const [, name = "", question = "", linux = "", gramine = ""] = line.split("|").map((cell) => cell.trim());
    return /^[bs]\d/.test(name)
      ? [{ name, question, answers: { Linux: linux, Gramine: gramine === "as on Linux" ? linux : gramine } }]
      : [];
  });

/** What a log cannot say, by program: those that do not give the whole answer. Everything else does. */
const SHORT: Readonly<Record<string, string>> = {
  b15_poll_starts_over: "the program had ended on Linux when the third of ten signals came: Gramine's poll lasts 900 ms for 2500",
  b15c_futex_starts_over: "as b15_poll_starts_over: 900 ms for 2500",
  b15b_epoll_starts_over: "strace ended the call, and the program, at the first of ten signals: 700 ms for 2500",
};

/** Errors of calls about which the program says nothing. */
const UNSAID: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  s09_setitimer: { Linux: ["EINTR"], Gramine: ["EINTR"] },
  s13_kill_parent_child: { Linux: ["EINTR"], Gramine: ["EINTR"] },
  s16_fork_exec_disp: { Linux: ["ENOENT"], Gramine: ["ENOENT"] },
  s23_signal_before_wait: { Linux: ["EINTR"], Gramine: ["EINTR"] },
};

/** libc's own calls, which tell nothing: of its start, and around a fork or a new thread. */
const OF_LIBC =
  /(?:^|; )(?:\d+ x )?(?:(?:execve|access|arch_prctl|set_tid_address|gettid|mmap|mprotect|munmap|pipe|futex|fork_?|socket|bind|listen|connect|epoll_create1|epoll_ctl) -?\w+|sigprocmask 0, old \[(?:|HUP INT QUIT [^\]]*)\])(?=;|$)/g;

function run({ name }: Program, stack: StackName): Ran {
  const text = gunzipSync(readFileSync(new URL(`${name}.strace.gz`, FOLDER))).toString("utf8");
  const scenario = parseScenario(JSON.stringify(straceToScenario(text, `${name}.strace`).scenario), name);
  const options = stack === "gramine-linux" && !name.includes("noinject") ? ["sigterm-injection" as const] : [];
  return runScenario({ ...scenario, options }, stack);
}

/** Each thread's story; ids of the log are no part of it. */
function told(ran: Ran): string[] {
  const named = new Map(
    ran.threads.filter(({ name }) => /^(?:process|thread)-\d/.test(name)).map(({ name }, i) => [name, `${name.split("-")[0]} ${i + 1}`]),
  );
  return ["main", ...named.keys()].map((who) => {
    const line = storyLine(ran, who).replace(OF_LIBC, "").replace(/^; /, "");
    const text = line.replace(/\b(?:process|thread)-\d+/g, (name) => named.get(name) ?? name);
    return `    ${named.get(who) ?? who}: ${shortened(text)}`;
  });
}

/** A story of two hundred rounds is told by its beginning. */
const shortened = (text: string): string => (text.length > 1500 ? `${text.slice(0, 150)} ...` : text);

/** "exit 3", "signal 11", "TIMEOUT": how the first process ended. */
function endOf(ran: Ran): string {
  const pid = ran.threads[0]?.pid;
  const [end] = rowsOf(ran, { what: "process.exit" }).filter(({ thread }) => ran.threads[thread]?.pid === pid);
  return end === undefined ? "TIMEOUT" : end.value < 0 ? `signal ${-end.value}` : `exit ${end.value}`;
}

const errorsOf = (ran: Ran): string[] => [
  ...new Set(
    rowsOf(ran, { what: "app.return" })
      .filter(({ value }) => value < 0)
      .map(({ value }) => resultText(value).slice(1)),
  ),
];

const errorsIn = (answer: string): string[] => [...new Set(answer.replaceAll("E92", "ENOPROTOOPT").match(/\bE[A-Z]{3,}\b/g) ?? [])];

const STACKS = { Linux: "native-linux", Gramine: "gramine-linux" } as const;

describe("by their logs", () => {
  const lines: string[] = [];
  for (const program of PROGRAMS)
    it(`${program.name}: ${program.question}`, () => {
      lines.push(`${program.name}: ${program.question}`);
      for (const column of ["Linux", "Gramine"] as const) {
        const ran = run(program, STACKS[column]);
        const answer = program.answers[column];
        lines.push(`  ${column}: ${answer}`, ...told(ran));
        expect(answer).toMatch(new RegExp(`\\b${endOf(ran)}$`));
        const errors = [...errorsIn(answer), ...(UNSAID[program.name]?.[column] ?? [])];
        expect([column, ...errorsOf(ran).sort()]).toEqual([column, ...errors.sort()]);
      }
      if (SHORT[program.name]) lines.push(`  (${SHORT[program.name]})`);
    });

  it("all they tell is what was answered, but for what a log cannot say", () => {
    expectGolden("gramine-predictions.txt", `${lines.join("\n")}\n`);
    expect(Object.keys(SHORT).filter((name) => !PROGRAMS.some((program) => program.name === name))).toEqual([]);
    expect(PROGRAMS.length - Object.keys(SHORT).length).toBeGreaterThanOrEqual(39);
  });
});
