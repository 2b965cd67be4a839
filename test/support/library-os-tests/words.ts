/** What a line of the tests of the library OS is, and the words in which its outcome is told. */

import { type OptionName, signalName } from "../../../engine/index.ts";
import { endOf, handled, type Ran, resultOf, type runProgram } from "../run-scenario.ts";

type More = NonNullable<Parameters<typeof runProgram>[3]>;
type Plans = NonNullable<Parameters<typeof runProgram>[2]>;

export interface LibraryOsTest {
  readonly name: string;
  readonly main: readonly unknown[];
  readonly signals?: Plans;
  readonly more?: More;
  readonly options?: readonly OptionName[];
  /** What the test looks at, in a line. */
  readonly look: (ran: Ran) => string;
  /** What Linux gives, and what the test asks for. */
  readonly passes: string;
  /** What else a stack gives, with the place of the source that does it. */
  readonly otherwise?: readonly { readonly on: readonly StackColumn[]; readonly outcome: string; readonly because: string }[];
  /** Columns that are asked: all, but for a test that came later and is about what the others do not have. */
  readonly stacks?: readonly StackColumn[];
}

/** The columns of the table. */
export const STACK_COLUMNS = [
  "graphene-linux",
  "graphene-sgx",
  "graphene-pr347",
  "graphene-pr1218",
  "gramine-linux",
  "gramine-sgx",
] as const;
export type StackColumn = (typeof STACK_COLUMNS)[number];

export const block = (...signals: string[]): unknown => ({ sigprocmask: { how: "block", signals } });
export const unblock = (...signals: string[]): unknown => ({ sigprocmask: { how: "unblock", signals } });
export const raise = (signal: string): unknown => ({ kill: { process: "self", signal } });
export const abort = { tgkill: { thread: "self", signal: "SIGABRT" } };

export const runs = (ran: Ran, who?: string): string => `${handled(ran, who).join(" ") || "no handler"}; ${endOf(ran)}`;
/** How the process of that program ended: of several rows (threads that end with it) the last. */
export const ended = (ran: Ran, who = "main"): string => {
  const pid = ran.threads.find(({ name }) => name === who)?.pid;
  const died = ran.rows.findLast((row) => row.what === "process.exit" && ran.threads[row.thread]?.pid === pid);
  if (died === undefined) return "lives";
  return died.signal > 0 ? `killed by ${signalName(died.signal)}` : `exit ${died.value}`;
};
export const calls =
  (...names: string[]) =>
  (ran: Ran): string =>
    [...names.map((name) => `${name} ${resultOf(ran, name)}`), runs(ran)].join("; ");
