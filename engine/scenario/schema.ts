/**
 * What a scenario may say, as zod schemas. A program is a list of operations; an operation is written as
 * `- name` or `- name: {arguments}`. `OPERATIONS` is the one list of them: an entry's schema, its one-line text and
 * (in `engine/app/compile.ts`, checked by the compiler to be complete) its steps.
 */

import * as z from "zod";
import { FAULTS, VMAS } from "../host/fault.ts";
import { signalNumber } from "../signals.ts";

/** Unreachable virtual time in ns; stands for "for ever" so that the state stays JSON. */
export const NEVER = Number.MAX_SAFE_INTEGER;

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 };

/** "5ms", "1.5 s", a plain number of ns, or "forever". Result in ns. */
export const duration = z.union([z.number().nonnegative().max(1e15), z.string()]).transform((text, ctx): number => {
  if (typeof text === "number") return Math.round(text);
  if (text === "forever") return NEVER;
  const match = /^(\d+(?:\.\d+)?)\s*(ns|us|ms|s)$/.exec(text);
  if (match) return Math.round(Number(match[1]) * (UNITS[match[2] ?? ""] ?? 1));
  ctx.addIssue({ code: "custom", message: `expected a duration such as 5ms, 2us, 1.5s or forever, found "${text}"` });
  return z.NEVER;
});

export const signal = z.union([z.string(), z.number().int()]).transform((text, ctx): number => {
  const number = signalNumber(String(text));
  if (number > 0) return number;
  ctx.addIssue({ code: "custom", message: `expected a signal such as SIGINT or 34, found "${text}"` });
  return z.NEVER;
});

const name = z.string().min(1).max(200);
const names = z.union([name, z.array(name).min(1).max(1000)]).transform((n) => (Array.isArray(n) ? n : [n]));
const count = z.number().int().min(0).max(1e9);
const result = z.number().int().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);

/**
 * How a call that waits is answered. With `on` it waits for an object of the scenario (a pipe, a word, ...). With `takes`
 * the outside world answers after that time with `result`. `expect` is what the real program got (from a log).
 */
const waiting = {
  takes: duration.optional(),
  result: result.optional(),
  expect: result.optional(),
};

const done = { expect: result.optional() };

export const SA_FLAGS = ["SA_RESTART", "SA_RESETHAND", "SA_NODEFER", "SA_ONSTACK", "SA_SIGINFO", "SA_NOCLDSTOP", "SA_NOCLDWAIT"] as const;

/** The schema is made when it is first asked for: most starts of the program read no scenario, and a schema takes its time. */
function operation<S extends z.ZodType>(text: string, schema: () => S) {
  let made: S | undefined;
  return {
    text,
    get args(): S {
      made ??= schema();
      return made;
    },
  };
}

export const OPERATIONS = {
  compute: operation("run own instructions without system calls, for a time", () =>
    z.union([duration.transform((d) => ({ for: d, until: undefined })), z.strictObject({ for: duration, until: duration.optional() })]),
  ),
  read: operation("read from a pipe or socket", () => z.strictObject({ from: name.optional(), bytes: count.default(1), ...waiting })),
  write: operation("write to a pipe or socket", () => z.strictObject({ to: name.optional(), bytes: count.default(1), ...waiting })),
  accept: operation("take a connection", () => z.strictObject({ on: name.optional(), ...waiting })),
  close: operation("close the reading end of a pipe", () => z.strictObject({ what: name })),
  poll: operation("wait until one of several objects has data (also select)", () =>
    z.strictObject({ on: names.optional(), timeout: duration.default(NEVER), ...waiting }),
  ),
  "epoll-wait": operation("the same through epoll", () =>
    z.strictObject({ on: names.optional(), timeout: duration.default(NEVER), ...waiting }),
  ),
  "futex-wait": operation("sleep on a word until it is woken", () =>
    z.strictObject({ on: name.optional(), timeout: duration.default(NEVER), ...waiting }),
  ),
  "futex-wake": operation("wake sleepers on a word", () => z.strictObject({ on: name, count: count.default(1), ...done })),
  semop: operation("take one from a semaphore", () => z.strictObject({ on: name.optional(), ...waiting })),
  msgrcv: operation("receive a message", () => z.strictObject({ on: name.optional(), ...waiting })),
  nanosleep: operation("sleep", () =>
    z.union([duration.transform((d) => ({ for: d, expect: undefined })), z.strictObject({ for: duration, ...done })]),
  ),
  pause: operation("wait for a signal", () => z.strictObject(done).default({})),
  sigsuspend: operation("wait for a signal under another mask", () =>
    z.strictObject({ mask: z.array(signal).default([]), ...done }).default({ mask: [] }),
  ),
  sigaction: operation("set what a signal does", () =>
    z.strictObject({ signal, handler: name, flags: z.array(z.enum(SA_FLAGS)).default([]), mask: z.array(signal).default([]), ...done }),
  ),
  sigprocmask: operation("block or unblock signals", () =>
    z.strictObject({ how: z.enum(["block", "unblock", "set"]), signals: z.array(signal), ...done }),
  ),
  sigpending: operation("ask which signals are pending", () => z.strictObject(done).default({})),
  sigaltstack: operation("register an alternate stack", () =>
    z.strictObject({ bytes: count.default(8192), disable: z.boolean().default(false), ...done }).default({ bytes: 8192, disable: false }),
  ),
  kill: operation("send a signal to a process (self, parent, group, all, or a program name)", () =>
    z.strictObject({ process: name.default("self"), signal: z.union([z.literal(0), signal]), ...done }),
  ),
  tgkill: operation("send a signal to a thread (self or a program name)", () =>
    z.strictObject({ thread: name.default("self"), signal: z.union([z.literal(0), signal]), ...done }),
  ),
  alarm: operation("SIGALRM after whole seconds", () =>
    z.union([duration.transform((d) => ({ after: d, expect: undefined })), z.strictObject({ after: duration, ...done })]),
  ),
  setitimer: operation("SIGALRM after a time, then at an interval", () =>
    z.strictObject({ value: duration, interval: duration.default(0), ...done }),
  ),
  fioasync: operation("ask for SIGIO on an object (ioctl FIOASYNC)", () => z.strictObject({ on: name, ...done })),
  wait4: operation("wait for a child (any, or the one running a program)", () =>
    z.strictObject({ child: name.optional(), nohang: z.boolean().default(false), ...done }).default({ nohang: false }),
  ),
  clone: operation("start a thread running a program", () =>
    z.union([name.transform((program) => ({ program, expect: undefined })), z.strictObject({ program: name, ...done })]),
  ),
  fork: operation("start a process running a program", () =>
    z.union([name.transform((program) => ({ program, expect: undefined })), z.strictObject({ program: name, ...done })]),
  ),
  exec: operation("become another program: handlers go back to default", () =>
    z.strictObject({ takes: duration.default(0), ...done }).default({ takes: 0 }),
  ),
  exit: operation("end this thread", () => z.strictObject({ status: z.number().int().min(0).max(255).default(0) }).default({ status: 0 })),
  "exit-group": operation("end this process", () =>
    z.strictObject({ status: z.number().int().min(0).max(255).default(0) }).default({ status: 0 }),
  ),
  yield: operation("sched_yield", () => z.strictObject(done).default({})),
  getpid: operation("a system call that does nothing", () => z.strictObject(done).default({})),
  gettime: operation("ask for the time", () => z.strictObject(done).default({})),
  fault: operation("an instruction that faults; a memory fault says what is at its address", () =>
    z.union([
      z.enum(FAULTS).transform((what) => ({ what, address: 0, at: "unmapped" as const })),
      z
        .strictObject({ what: z.enum(FAULTS), address: count.default(0), at: z.enum(VMAS).default("unmapped") })
        .refine(({ what, at }) => what === "memory" || at === "unmapped", { path: ["at"], message: "expected only with what: memory" }),
    ]),
  ),
  "probe-memory": operation("hand the system a pointer that may be bad", () =>
    z.strictObject({ valid: z.boolean().default(false), ...done }).default({ valid: false }),
  ),
  vectors: operation("keep values in vector registers (live) or use them (clobber) or look at them (check)", () =>
    z.enum(["live", "clobber", "check"]).transform((what) => ({ what })),
  ),
  "skip-fault": operation("in a handler: change the saved context so that the faulting instruction is skipped", () =>
    z.strictObject({}).default({}),
  ),
  sigsetjmp: operation("remember this place, run operations; siglongjmp continues after them", () =>
    z.strictObject({ place: name, do: z.lazy(loopBody) }),
  ),
  siglongjmp: operation("leave the handler for a remembered place, restoring the mask", () =>
    z.union([name.transform((place) => ({ place })), z.strictObject({ place: name })]),
  ),
  call: operation("a system call eintr does not emulate: its duration and result only", () =>
    z.strictObject({ name, takes: duration.default(0), result: result.default(0), ...done }),
  ),
  loop: operation("repeat operations", () =>
    z.strictObject({ times: z.union([count, z.literal("forever")]).default("forever"), do: z.lazy(loopBody) }),
  ),
} as const;

/** Apart, with a plain type, because an operation list may hold loops that hold operation lists. */
function loopBody(): z.ZodType<unknown> {
  return program;
}

export type OperationName = keyof typeof OPERATIONS;
export const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];

/** One operation after parsing: `{op: "read", from: "p", bytes: 1}`. */
export type Operation = { [N in OperationName]: { op: N } & OperationArgs<N> }[OperationName];
export type OperationArgs<N extends OperationName> = N extends "loop"
  ? { times: number | "forever"; do: Operation[] }
  : N extends "sigsetjmp"
    ? { place: string; do: Operation[] }
    : z.output<(typeof OPERATIONS)[N]["args"]>;
export type OperationOf<N extends OperationName> = Extract<Operation, { op: N }>;

/** A list of operations; each a bare name or a map with one key. Unknown names are reported with the key, not as a union failure. */
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
  });

function parseOperation(item: unknown, index: number, ctx: z.RefinementCtx): Operation | null {
  const keys =
    typeof item === "string" ? [item] : item !== null && typeof item === "object" && !Array.isArray(item) ? Object.keys(item) : [];
  const key = keys[0];
  if (keys.length !== 1 || key === undefined) {
    ctx.addIssue({ code: "custom", path: [index], message: "expected one operation, such as `- pause` or `- read: {from: p}`" });
    return null;
  }
  const entry: { args: z.ZodType } | undefined = Object.hasOwn(OPERATIONS, key) ? OPERATIONS[key as OperationName] : undefined;
  if (!entry) {
    ctx.addIssue({ code: "custom", path: [index], message: "unknown operation", params: { unknown: key, among: OPERATION_NAMES } });
    return null;
  }
  const args = typeof item === "string" ? undefined : ((item as Record<string, unknown>)[key] ?? undefined);
  const result = entry.args.safeParse(args);
  if (!result.success) {
    for (const issue of result.error.issues)
      ctx.addIssue({ ...issue, path: [index, key, ...issue.path] } as Parameters<typeof ctx.addIssue>[0]);
    return null;
  }
  return { op: key, ...(result.data as object) } as Operation;
}

/**
 * When a signal or data from outside comes. Exactly one of the forms:
 * `at` a time; `every` interval (`from`, `times`); at a `rate` per second (random, from the seed);
 * `thread` + `call`: while that thread is in its n-th call of that name (`phase: blocked`, or as it returns if it never blocks;
 *   `phase: before`: as it enters), a number counts all calls of the thread's program;
 * `thread` + `handler`: when it has entered its n-th handler of that signal;
 * `thread` + `site`: when its n-th visit is about to execute that place, written "flow: label" as in `eintr stack NAME`.
 */
export const when = z
  .strictObject({
    at: duration.optional(),
    every: duration.optional(),
    from: duration.optional(),
    times: count.optional(),
    rate: z.number().positive().max(1e6).optional(),
    thread: name.optional(),
    call: z.union([name, z.number().int().positive()]).optional(),
    phase: z.enum(["before", "blocked"]).optional(),
    handler: signal.optional(),
    site: name.optional(),
    nth: z.number().int().positive().max(1e9).optional(),
  })
  .superRefine((w, ctx) => {
    const forms = [w.at, w.every, w.rate, w.call, w.handler, w.site].filter((form) => form !== undefined).length;
    if (forms !== 1) ctx.addIssue({ code: "custom", message: "expected exactly one of at, every, rate, call, handler, site" });
    if ((w.call ?? w.handler ?? w.site) !== undefined && w.thread === undefined)
      ctx.addIssue({ code: "custom", message: "call, handler and site need a thread" });
  });

export type When = z.output<typeof when>;

export const STACK_NAMES = ["native-linux", "graphene-linux", "graphene-sgx"] as const;
export type StackName = (typeof STACK_NAMES)[number];

/** A signal from the outside world (a terminal, another program of the host). Process-directed unless `thread` is given. */
const signalPlan = z.strictObject({
  signal,
  process: name.optional(),
  thread: name.optional(),
  when,
  /** Only on these stacks: places have other names elsewhere. */
  stacks: z.array(z.enum(STACK_NAMES)).optional(),
});

/** Data (or connections, or wake-ups) that the outside world puts into an object. */
const arrival = z.strictObject({ to: name, bytes: count.default(1), when, stacks: z.array(z.enum(STACK_NAMES)).optional() });

export const scenarioSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]*$/i, "expected letters, digits, dots and dashes")
    .max(200),
  title: z.string().min(1).max(300),
  /** Section of the reference or the page it shows. */
  source: z.string().max(300).default(""),
  about: z.string().max(10_000).default(""),
  seed: z.number().int().min(0).max(0xffffffff).default(1),
  /** The main thread of the first process. */
  main: program,
  /** Programs for `clone` and `fork`; the threads that run them take their names (name, name#2, ...). */
  programs: z.record(name, program).default({}),
  handlers: z.record(name, program).default({}),
  signals: z.array(signalPlan).max(1_000_000).default([]),
  arrivals: z.array(arrival).max(1_000_000).default([]),
  /** How the run ends when it does not end by itself. */
  limit: z
    .strictObject({ time: duration.default(NEVER), transitions: count.max(Number.MAX_SAFE_INTEGER).default(1_000_000) })
    .default({ time: NEVER, transitions: 1_000_000 }),
  /** Processor interrupts per second that end enclave execution without a signal (timer, page fault); 0 for none. */
  interrupts: z.number().min(0).max(1e6).default(0),
});

export type Scenario = z.output<typeof scenarioSchema>;
/** As written in a file. */
export type ScenarioInput = z.input<typeof scenarioSchema>;
export type SignalPlan = Scenario["signals"][number];
export type Arrival = Scenario["arrivals"][number];
