/**
 * Scenarios at random, from a seed: threads, children, masks, handlers that nest, fault or leave by siglongjmp, calls that wait,
 * signals from everywhere. Nothing in them is sensible; a machine has to survive it, and every stack has to do so alike.
 */

import { boot, parseScenario, type Scenario, type ScenarioInput, type StackName } from "../../engine/index.ts";
import { below, seedPrng } from "../../engine/prng.ts";

/** An operation as written. */
type Item = string | Record<string, unknown>;
type Plan = NonNullable<ScenarioInput["signals"]>[number];
type Arrival = NonNullable<ScenarioInput["arrivals"]>[number];

const SIGNALS = [
  "SIGINT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGCHLD",
  "SIGCONT",
  "SIGSEGV",
  "SIGFPE",
  "SIGILL",
  "SIGHUP",
  "SIGSTOP",
  "34",
];
/** Those that would end a process at once are rare, or most runs would be short. */
const MILD = ["SIGINT", "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGCONT", "SIGCHLD", "SIGURG"];
const FAULT_SIGNALS = ["SIGSEGV", "SIGFPE", "SIGILL"];
const PROGRAMS = ["one", "two", "child"];
const HANDLERS = ["quick", "quick", "quick", "calls", "calls", "faults", "jumps"];
const OBJECTS = ["pipe", "socket", "word", "listener"];
const FAULTS = ["divide", "memory", "align", "illegal", "int3", "cpuid", "rdtsc", "syscall"];
const CALLS = ["read", "poll", "futex-wait", "nanosleep", "accept", "sigsuspend", "pause", "getpid", "sigprocmask", "wait4"];

/** Draws, all from one generator. */
interface Dice {
  below(n: number): number;
  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean;
  of<T>(list: readonly T[]): T;
  some<T>(list: readonly T[], percent: number): T[];
  /** "37us": between the two. */
  us(from: number, to: number): string;
  times<T>(from: number, to: number, make: () => T): T[];
}

function dice(seed: number): Dice {
  const state = seedPrng(seed);
  const draw = (n: number): number => below(state, n);
  const chance = (percent: number): boolean => draw(100) < percent;
  return {
    below: draw,
    chance,
    of: (list) => list[draw(list.length)] as (typeof list)[number],
    some: (list, percent) => list.filter(() => chance(percent)),
    us: (from, to) => `${from + draw(to - from)}us`,
    times: (from, to, make) => Array.from({ length: from + draw(to - from + 1) }, make),
  };
}

const signal = (d: Dice): string => (d.chance(70) ? d.of(MILD) : d.of(SIGNALS));

const waits = (d: Dice): { takes?: string; result?: number } =>
  d.chance(40) ? { takes: d.us(1, 300), result: d.of([0, 1, 8, -4, -11, -32, -104]) } : {};

const sigaction = (d: Dice): Item => {
  const of = d.of(SIGNALS);
  const handler = FAULT_SIGNALS.includes(of) ? d.of(["jumps", "jumps", "faults", "quick"]) : d.of(HANDLERS);
  return {
    sigaction: {
      signal: of,
      handler: d.chance(80) ? handler : d.of(["default", "ignore"]),
      flags: d.some(["SA_RESTART", "SA_RESETHAND", "SA_NODEFER", "SA_ONSTACK"], 25),
      mask: d.some(SIGNALS, 10),
    },
  };
};

const mask = (d: Dice): Item => ({
  sigprocmask: { how: d.of(["block", "unblock", "unblock", "set"]), signals: d.some(SIGNALS, 35) },
});

/** What a program or handler may do, each with its weight. Nesting is limited by `room`. */
type Maker = (d: Dice, room: number) => Item;

const QUIET: readonly (readonly [number, Maker])[] = [
  [8, (d) => ({ compute: d.us(1, 200) })],
  [3, () => "getpid"],
  [2, () => "gettime"],
  [2, () => "yield"],
  [2, () => "sigpending"],
  [3, mask],
  [2, sigaction],
  [1, (d) => ({ sigaltstack: { bytes: d.of([1024, 8192]) } })],
  [3, (d) => ({ write: d.chance(70) ? { to: d.of(OBJECTS), bytes: 1 + d.below(4) } : { bytes: 4, ...waits(d) } })],
  [2, (d) => ({ "futex-wake": { on: d.of(OBJECTS), count: d.below(3) } })],
  [4, (d) => ({ tgkill: { thread: d.of(["self", "main", "one", "two", "one#2"]), signal: signal(d) } })],
  [2, (d) => ({ kill: { process: d.of(["self", "self", "parent", "group", "child"]), signal: signal(d) } })],
  [1, (d) => ({ kill: { process: d.of(["all", "child"]), signal: d.of(["SIGUSR1", "SIGINT", "SIGKILL", "SIGSTOP"]) } })],
  [1, (d) => ({ fault: { what: d.of(FAULTS), address: d.below(2) * 4096 } })],
  [1, (d) => ({ vectors: d.of(["live", "clobber", "check"]) })],
  [1, (d) => ({ "probe-memory": { valid: d.chance(60) } })],
  [1, (d) => ({ call: { name: "fsync", takes: d.us(0, 50), result: d.of([0, -9]) } })],
  [1, (d) => ({ nanosleep: d.us(1, 100) })],
];

const WAITING: readonly (readonly [number, Maker])[] = [
  [4, (d) => ({ read: { from: d.of(OBJECTS), bytes: 1 + d.below(4), ...waits(d) } })],
  [2, (d) => ({ accept: { on: "listener", ...waits(d) } })],
  [3, (d) => ({ poll: { on: d.some(OBJECTS, 50).concat("pipe"), timeout: d.us(0, 500) } })],
  [2, (d) => ({ "epoll-wait": { on: [d.of(OBJECTS)], timeout: d.us(0, 500) } })],
  [3, (d) => ({ "futex-wait": { on: d.of(OBJECTS), timeout: d.chance(80) ? d.us(10, 800) : "forever", ...waits(d) } })],
  [1, (d) => ({ semop: { on: "word", ...waits(d) } })],
  [1, (d) => ({ msgrcv: { on: "socket", ...waits(d) } })],
  [4, (d) => ({ nanosleep: d.us(1, 2000) })],
  [1, () => "pause"],
  [1, (d) => ({ sigsuspend: { mask: d.some(SIGNALS, 20) } })],
  [2, (d) => ({ wait4: d.chance(50) ? { nohang: true } : { child: "child" } })],
  [2, (d) => ({ alarm: d.of(["0s", "1s"]) })],
  [2, (d) => ({ setitimer: { value: d.us(0, 900), interval: d.of(["0s", "150us"]) } })],
  [1, (d) => ({ fioasync: { on: d.of(OBJECTS) } })],
  [3, (d) => ({ clone: d.of(["one", "two"]) })],
  [2, () => ({ fork: "child" })],
  [1, () => "exec"],
  [1, (d) => ({ close: { what: d.of(OBJECTS) } })],
  [1, (d) => (d.chance(20) ? { exit: { status: 1 } } : { "exit-group": { status: 7 } })],
  [3, (d, room) => ({ loop: { times: d.below(5), do: program(d, room - 1, 3) } })],
  [2, (d, room) => ({ sigsetjmp: { place: "here", do: [...program(d, room - 1, 2), { fault: d.of(["memory", "divide"]) }] } })],
];

function pick(d: Dice, list: readonly (readonly [number, Maker])[], room: number): Item {
  const total = list.reduce((sum, [weight]) => sum + weight, 0);
  let at = d.below(total);
  for (const [weight, make] of list) {
    at -= weight;
    if (at < 0) return make(d, room);
  }
  return "getpid";
}

function program(d: Dice, room: number, length: number): Item[] {
  return d.times(1, length, () => (room <= 0 || d.chance(55) ? pick(d, QUIET, 0) : pick(d, WAITING, room)));
}

const handlers = (d: Dice): Record<string, Item[]> => ({
  quick: [{ compute: d.us(1, 20) }],
  calls: d.times(1, 3, () => pick(d, d.chance(70) ? QUIET : WAITING, 0)),
  faults: d.chance(60) ? ["skip-fault"] : [pick(d, QUIET, 0), { fault: "divide" }, "skip-fault"],
  jumps: [pick(d, QUIET, 0), { siglongjmp: "here" }],
});

const thread = (d: Dice): string => d.of(["main", "main", "one", "two", "child", "one#2", "async-helper", "ipc-helper"]);

function when(d: Dice, sites: readonly string[]): Plan["when"] {
  switch (d.below(sites.length > 0 ? 7 : 5)) {
    case 0:
      return { at: d.us(0, 3000) };
    case 1:
      return { every: d.us(50, 900), times: 1 + d.below(6) };
    case 2:
      return { rate: 100 + d.below(4000) };
    case 3:
      return {
        thread: thread(d),
        call: d.chance(70) ? d.of(CALLS) : 1 + d.below(8),
        nth: 1 + d.below(2),
        ...(d.chance(30) && { phase: "before" as const }),
      };
    case 4:
      return { thread: thread(d), handler: d.of(SIGNALS), nth: 1 + d.below(2) };
    default:
      return { thread: thread(d), site: d.of(sites), nth: 1 + d.below(3) };
  }
}

const plan = (d: Dice, sites: readonly string[]): Plan => ({
  signal: signal(d),
  ...(d.chance(40) ? { thread: thread(d) } : { process: d.of(["main", "main", "child"]) }),
  when: when(d, sites),
});

/** As one would write it. `sites` are places of the stack it is for: signals may be pinned to them. */
export function randomInput(seed: number, sites: readonly string[] = []): ScenarioInput {
  const d = dice(seed);
  return {
    name: `random-${seed}`,
    title: `Made from seed ${seed}`,
    seed,
    main: [
      ...d.times(3, 8, () => sigaction(d)),
      { sigsetjmp: { place: "here", do: ["getpid"] } },
      ...(d.chance(60) ? [{ clone: "one" }] : []),
      ...program(d, 2, 12),
      ...(d.chance(50) ? [{ loop: { times: 40, do: program(d, 1, 4) } }] : []),
    ],
    programs: Object.fromEntries(PROGRAMS.map((name) => [name, program(d, 1, 6)])),
    handlers: handlers(d),
    signals: d.times(0, 5, () => plan(d, sites)),
    arrivals: d.times(0, 3, (): Arrival => ({ to: d.of(OBJECTS), bytes: 1 + d.below(3), when: when(d, []) })),
    limit: { time: "20ms", transitions: 3000 },
    interrupts: d.chance(30) ? d.of([10_000, 100_000, 1_000_000]) : 0,
  };
}

/** Calls of one thread that nothing interrupts, signals to itself included: every stack owes it the same answers. */
const QUIET_CALLS: readonly (readonly [number, Maker])[] = [
  [4, (d) => ({ write: { to: d.of(OBJECTS), bytes: 1 + d.below(4) } })],
  [
    3,
    (d) => ({
      read: { from: d.of(OBJECTS), bytes: 1 + d.below(4), ...(d.chance(30) && { takes: d.us(1, 90), result: d.of([0, 3, -11]) }) },
    }),
  ],
  [2, (d) => ({ poll: { on: [d.of(OBJECTS)], timeout: d.us(0, 50) } })],
  [1, (d) => ({ "epoll-wait": { on: [d.of(OBJECTS)], timeout: d.us(0, 50) } })],
  [1, (d) => ({ "futex-wake": { on: d.of(OBJECTS), count: 2 } })],
  [1, (d) => ({ accept: { on: "listener", takes: d.us(1, 9), result: 5 } })],
  [2, (d) => ({ nanosleep: d.us(1, 90) })],
  [1, (d) => ({ call: { name: "fsync", takes: d.us(0, 20), result: d.of([0, 6, -9]) } })],
  [1, (d) => ({ sigaltstack: { bytes: d.of([1024, 8192]) } })],
  [1, (d) => ({ sigaction: { signal: d.of(["SIGHUP", "SIGKILL", "SIGQUIT"]), handler: "quick" } })],
  [2, (d) => ({ tgkill: { thread: d.of(["self", "nobody"]), signal: d.of(["SIGUSR1", "SIGUSR2"]) } })],
  [1, (d) => ({ kill: { process: d.of(["self", "nobody"]), signal: d.of(["SIGUSR1", "SIGUSR2"]) } })],
  [1, () => "getpid"],
  [1, () => "yield"],
];

const SYSTEM_V: readonly (readonly [number, Maker])[] = [
  [1, (d) => ({ semop: { takes: d.us(0, 20), result: 0 } })],
  [1, (d) => ({ msgrcv: { takes: d.us(0, 20), result: 9 } })],
];

const inTurn = (...operations: Item[]): Item => ({ loop: { times: 1, do: operations } });
const blocking = (signal: string, ...operations: Item[]): Item =>
  inTurn({ sigprocmask: { how: "block", signals: [signal] } }, ...operations, { sigprocmask: { how: "unblock", signals: [signal] } });

/** What today's Gramine answers as Linux does, and Graphene does not: slots, waits for signals, timers, children, threads. */
const CALLS_OF_TODAY: readonly (readonly [number, Maker])[] = [
  [3, (d) => blocking("SIGUSR1", ...d.times(1, 3, () => ({ kill: { process: "self", signal: "SIGUSR1" } })), "sigpending")],
  [
    2,
    () =>
      blocking("SIGUSR2", { tgkill: { thread: "self", signal: "SIGUSR2" } }, { sigtimedwait: { signals: ["SIGUSR2"], timeout: "1ms" } }),
  ],
  [2, () => blocking("SIGUSR2", { tgkill: { thread: "self", signal: "SIGUSR2" } }, { sigsuspend: [] })],
  [1, () => ({ sigtimedwait: { signals: ["SIGHUP"], timeout: "50us" } })],
  [2, (d) => inTurn({ setitimer: { value: d.us(500, 900) } }, "pause")],
  [2, () => inTurn({ fork: "child" }, { wait4: {} })],
  [1, () => inTurn({ clone: "thread" }, { "pthread-join": "thread" })],
  [1, () => inTurn({ clone: "sender" }, "pause", { "pthread-join": "sender" })],
];

/**
 * One thread, no signals but its own, one at a time; reads only end when bytes are there, so a watchdog writes some. `today`: what is said
 * of Gramine above, and nothing of System V, which it does not have (-ENOSYS; libos/src/arch/x86_64/libos_table.c).
 */
export function quietInput(seed: number, today = false): ScenarioInput {
  const d = dice(seed);
  const calls = [...QUIET_CALLS, ...(today ? CALLS_OF_TODAY : SYSTEM_V)];
  return {
    name: `quiet-${seed}`,
    title: `Made from seed ${seed}`,
    main: [
      { sigaction: { signal: "SIGUSR1", handler: "quick" } },
      { sigaction: { signal: "SIGUSR2", handler: "quick" } },
      ...(today ? [{ sigaction: { signal: "SIGALRM", handler: "quick" } }] : []),
      ...d.times(5, 25, () => pick(d, calls, 0)),
    ],
    ...(today && {
      programs: {
        child: [{ nanosleep: "1ms" }, "exit-group"],
        thread: [{ nanosleep: "1ms" }],
        sender: [{ nanosleep: "1ms" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }],
      },
    }),
    handlers: { quick: [{ compute: "1us" }] },
    arrivals: OBJECTS.map((to): Arrival => ({ to, bytes: 1000, when: { every: "1s", times: 2 } })),
  };
}

/** What a thread does between two calls that wait: it disturbs nobody, but wants locks of the LibOS that others want, too. */
const BETWEEN: readonly (readonly [number, Maker])[] = [
  [3, (d) => ({ compute: d.us(1, 20) })],
  [3, () => ({ "futex-wake": { on: "word" } })],
  [3, () => ({ loop: { times: 1, do: [{ write: { to: "listener" } }, { accept: { on: "listener" } }] } })],
  [2, () => ({ tgkill: { signal: "SIGUSR1" } })],
  [2, (d) => ({ sigprocmask: { how: d.of(["block", "unblock"]), signals: ["SIGUSR2"] } })],
  [1, () => ({ sigaction: { signal: "SIGUSR2", handler: "quick" } })],
  [1, () => ({ alarm: "0s" })],
  [1, () => "yield"],
];

/**
 * Threads that pass tokens round in pipes, the last one back to the main thread. Nothing interrupts them: whoever is scheduled, each
 * gets what it waits for, on every stack.
 */
export function talkInput(seed: number): ScenarioInput {
  const d = dice(seed);
  const threads = 2 + d.below(3);
  const tokens = 1 + d.below(2);
  const rounds = 2 + d.below(3);
  const between = (from: number, to: number): Item[] => d.times(from, to, () => pick(d, BETWEEN, 0));
  const crowd = (): Item => ({ loop: { times: 8, do: [{ "futex-wake": { on: "word" } }, ...between(0, 1)] } });
  const pass = (from: number, to: number): Item[] => [
    { read: { from: `pipe${from}` } },
    ...between(0, 2),
    { write: { to: `pipe${to}` } },
    ...between(0, 2),
  ];
  const names = Array.from({ length: threads - 1 }, (_, i) => `talker${i + 1}`);
  const talker = (i: number): Item[] => [crowd(), { loop: { times: rounds + tokens, do: pass(i + 1, (i + 2) % threads) } }];
  return {
    name: `talk-${seed}`,
    title: `Made from seed ${seed}`,
    seed,
    main: [
      { sigaction: { signal: "SIGUSR1", handler: "quick" } },
      ...names.map((name) => ({ clone: name })),
      crowd(),
      { write: { to: "pipe1", bytes: tokens } },
      { loop: { times: rounds, do: pass(0, 1) } },
      { loop: { times: tokens, do: [{ read: { from: "pipe0" } }] } },
      { nanosleep: "1s" },
    ],
    programs: Object.fromEntries(names.map((name, i) => [name, talker(i)])),
    handlers: { quick: [{ compute: "1us" }] },
  };
}

/** Checked as a file of the user would be. */
export function randomScenario(seed: number, stack: StackName): Scenario {
  const plain = parse(randomInput(seed));
  const { sites } = boot({ stack, scenario: plain });
  return parse(randomInput(seed, [...new Set(sites.map((site) => `${site.flow}: ${site.label}`))]));
}

const parse = (input: ScenarioInput): Scenario => parseScenario(JSON.stringify(input), input.name);
