/**
 * What a scenario may say. A program is a list of operations; an operation is written `- name`, `- name: {arguments}`, or, where its
 * entry has a `short` argument, `- name: value`. `OPERATIONS` is the one list of them: an entry's page of the manual, its arguments and
 * (in `engine/app/compile.ts`, checked by the compiler to be complete) its steps.
 */

import * as z from "zod";
import { OPTION_NAMES } from "../options.ts";
import { NEVER } from "../time.ts";
import { rowStarts } from "./logged.ts";
import { objects } from "./objects.ts";
import { FILES } from "./operations/files.ts";
import { own } from "./operations/own.ts";
import { PROCESSES } from "./operations/processes.ts";
import { SIGNALS } from "./operations/signals.ts";
import { TIME } from "./operations/time.ts";
import { WAITING } from "./operations/waiting.ts";
import { duration, inWords, MOST_NAME, NAME_WORDS, ref, signal } from "./values.ts";
import { arrival, signalPlan } from "./when.ts";

export { SA_FLAGS } from "./operations/signals.ts";
export { duration } from "./values.ts";
export type { When } from "./when.ts";

/** A list may hold operations that hold lists. */
const body = (): z.ZodType<unknown> => program;

export const OPERATIONS = { ...WAITING, ...FILES, ...TIME, ...SIGNALS, ...PROCESSES, ...own(body) } as const;

export type OperationName = keyof typeof OPERATIONS;
export const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];
export const isOperation = (name: string): name is OperationName => Object.hasOwn(OPERATIONS, name);

/** Arguments that are lists of operations. */
export const BODIES = ["do", "else", "like"] as const;
type BodyArgument = (typeof BODIES)[number];

/** Arguments of an operation after parsing. */
type OperationArgs<N extends OperationName> = WithBodies<z.output<(typeof OPERATIONS)[N]["args"]>>;
type WithBodies<A> = { [K in keyof A]: K extends BodyArgument ? Operation[] : A[K] };

/** One operation after parsing: `{op: "read", from: "p", bytes: 1}`. */
export type Operation = { [N in OperationName]: { op: N } & OperationArgs<N> }[OperationName];
export type OperationOf<N extends OperationName> = Extract<Operation, { op: N }>;

/** The lists of operations inside an operation, in the order in which they are numbered. */
export function bodiesOf(op: Operation): readonly (readonly Operation[])[] {
  if (op.op === "if") return [op.do, op.else];
  return "do" in op ? [op.do] : [];
}

/** How many numbers an operation takes, without those inside it: a `logged` has one for each of its rows and none of its own. */
export const countOf = (op: Operation): number => (op.op === "logged" ? rowStarts(op).length : 1);

/** Handlers that an operation goes on as. */
export const goesOnAs = (op: Operation): string[] =>
  op.op === "by-run" ? [op.otherwise, ...Object.values(op.threads).flatMap(({ as }) => as)] : [];

/** An operation as it is written: its name and its arguments, those given in short at their field. Null when it is none. */
export function written(item: unknown): { name: string; args: unknown; short: string | null } | null {
  if (typeof item === "string") return { name: item, args: {}, short: null };
  if (!isMap(item)) return null;
  const [name, ...more] = Object.keys(item);
  if (name === undefined || more.length > 0) return null;
  const args = item[name];
  const short = isOperation(name) ? OPERATIONS[name].manual.short : undefined;
  if (short !== undefined && args !== null && args !== undefined && !isMap(args)) return { name, args: { [short]: args }, short };
  return { name, args: args ?? {}, short: null };
}

export const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

export const PROGRAM_WORDS = "a list of operations";
export const PROGRAMS_WORDS = "a map from names to lists of operations";

/** A list of operations. What is wrong in it is reported with the place, all of it. */
export const program: z.ZodType<Operation[]> = z
  .array(z.unknown())
  .max(1_000_000)
  .transform((items, ctx) => {
    const out: Operation[] = [];
    items.forEach((item, index) => {
      const parsed = parseOperation(item, index, ctx);
      if (parsed) out.push(parsed);
    });
    return out;
  })
  .register(inWords, { words: PROGRAM_WORDS, json: ref("operations") });

/** One operation as it is written; null when it is none. */
export const operationOf = (item: unknown): Operation | null => program.safeParse([item]).data?.[0] ?? null;

/** `params.unknown` of an issue: a name that no operation has. */
export const UNKNOWN_OPERATION = "unknown operation";

function parseOperation(item: unknown, index: number, ctx: z.RefinementCtx): Operation | null {
  const operation = written(item);
  if (operation === null) {
    ctx.addIssue({ code: "custom", path: [index], message: "expected one operation, such as `- pause` or `- read: {from: p}`" });
    return null;
  }
  const { name, args, short } = operation;
  if (!isOperation(name)) {
    ctx.addIssue({ code: "custom", path: [index], message: UNKNOWN_OPERATION });
    return null;
  }
  const result = OPERATIONS[name].args.safeParse(args);
  if (result.success) return { op: name, ...result.data } as Operation;
  for (const issue of result.error.issues) {
    const path = issue.path[0] === short ? issue.path.slice(1) : issue.path;
    ctx.addIssue({ ...issue, path: [index, name, ...path] } as Parameters<typeof ctx.addIssue>[0]);
  }
  return null;
}

/**
 * Programs by their names. Any name is a name, `__proto__` and `constructor` too, which zod's records drop and plain objects know: the
 * map has no prototype.
 */
const programs = z
  .custom<Readonly<Record<string, unknown>>>(isMap, "no map")
  .transform((given, ctx): Record<string, Operation[]> => {
    const out = Object.create(null) as Record<string, Operation[]>;
    for (const name of Object.keys(given)) {
      if (name === "" || name.length > MOST_NAME)
        ctx.addIssue({ code: "custom", path: [name], message: `expected ${NAME_WORDS} before the colon` });
      const parsed = program.safeParse(given[name]);
      if (parsed.success) out[name] = parsed.data;
      else
        for (const issue of parsed.error.issues)
          ctx.addIssue({ ...issue, path: [name, ...issue.path] } as Parameters<typeof ctx.addIssue>[0]);
    }
    return out;
  })
  .register(inWords, {
    words: PROGRAMS_WORDS,
    json: {
      type: "object",
      propertyNames: { minLength: 1, maxLength: MOST_NAME },
      additionalProperties: ref("operations"),
    },
  });

const MOST_PLANS = 1_000_000;

const inherited = z.array(signal).max(1000).default([]);

const limit = z.strictObject({
  time: duration.default(NEVER).describe("virtual time"),
  transitions: z.number().int().min(0).default(1_000_000).describe("rows of the trace"),
});

export const scenarioSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
    .max(200)
    .register(inWords, { words: "a name of letters, digits, dots and dashes (at most 200 characters)" })
    .describe("name of the case; the trace is named after it"),
  title: z.string().min(1).max(300).describe("one line: what it shows"),
  source: z.string().max(300).default("").describe("where it comes from, such as a section of the reference"),
  about: z.string().max(10_000).default("").describe("what happens, and why"),
  seed: z.number().int().min(0).max(0xffffffff).default(1).describe("seed of all that is random"),
  main: program.describe("the main thread of the first process"),
  programs: programs
    .prefault({})
    .describe("programs for `clone` and `fork`; the threads that run them take their names (name, name#2, ...)"),
  handlers: programs.prefault({}).describe("signal handlers for `sigaction`; an operation `sigaction` makes one the action of a signal"),
  sorts: program.prefault([]).describe("sorts of operations that the rows of all `logged` without `like` are of"),
  signals: z.array(signalPlan).max(MOST_PLANS).default([]).describe("signals from outside: a terminal, another program of the host"),
  arrivals: z
    .array(arrival)
    .max(MOST_PLANS)
    .default([])
    .describe("data, connections or wake-ups that the outside world puts into an object"),
  objects: objects
    .prefault({})
    .describe(
      "what the objects are (pipe, socket, unix, tty, file) and whether they have O_NONBLOCK; those not named are pipes that block",
    ),
  debug: z
    .boolean()
    .default(false)
    .describe("the manifest of a library OS has debug_type: a line is printed before and after each call, and each is a PAL call"),
  options: z
    .array(z.enum(OPTION_NAMES))
    .max(OPTION_NAMES.length)
    .default([])
    .describe(
      "options of a library OS's manifest that the case is run with (list: `eintr record --help`); stacks that do not know one ignore it",
    ),
  mask: inherited.describe("signals that are blocked when the first process starts, by whoever started it; the base revision does not ask"),
  ignore: inherited.describe("signals that are ignored then (nohup, trap '' in a shell); the base revision does not ask"),
  limit: limit.default({ time: NEVER, transitions: 1_000_000 }).describe("where the run ends when it does not end by itself"),
  interrupts: z
    .number()
    .min(0)
    .max(1e6)
    .default(0)
    .describe("processor interrupts per second that end enclave execution without a signal (timer, page fault); 0 for none"),
});

export type Scenario = z.output<typeof scenarioSchema>;
/** As written in a file. */
export type ScenarioInput = z.input<typeof scenarioSchema>;
export type SignalPlan = Scenario["signals"][number];
export type Arrival = Scenario["arrivals"][number];
