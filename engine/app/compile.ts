/** Programs of a scenario become flows of the application layer: an operation is a step, or a few. */

import { INTERRUPTIBLE } from "../call-lists.ts";
import { become, jumpTarget } from "../control.ts";
import { type Cpu, running, stackOf, topFrame } from "../cpu.ts";
import { faultAt } from "../faulting.ts";
import { type Flow, flow, type Step, type Steps } from "../flow.ts";
import { handlerFlow, PROGRAMS_FLOW, programFlow } from "../flow-names.ts";
import { localsOf } from "../frames.ts";
import { callArgs } from "../host/calls.ts";
import { restoreRt } from "../host/flows.ts";
import { LIBOS } from "../libos/flows.ts";
import { killArgs } from "../libos/kill.ts";
import { type LocalsMaker, localsMaker } from "../locals.ts";
import { countOf, goesOnAs, type Operation, type OperationName, type OperationOf, type Scenario } from "../scenario/schema.ts";
import { NO_INFO } from "../siginfo.ts";
import { emptySet, setOf } from "../signals.ts";
import {
  extended,
  keyOf,
  type Locals,
  SA_NO_RESTORER,
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
  SA_NODEFER,
  SA_ONSTACK,
  SA_RESETHAND,
  SA_RESTART,
} from "../state.ts";
import { NO_ACTION } from "../syscalls.ts";
import { call, childNamed, chosenCall, epollPwait2, opaque, plainError, pollArgs, waitArgs } from "./call.ts";
import { decision, loop, retry, setFlag } from "./conditions.ts";
import { LIBC, restorer } from "./flows.ts";
import type { Context, Items, Program, Sorts } from "./items.ts";
import { evenOut, logged } from "./logged.ts";
import { longjmp } from "./longjmp.ts";
import { NEWER } from "./newer.ts";
import { enterHandler } from "./pins.ts";

const FLAGS: Readonly<Record<string, number>> = { SA_RESTART, SA_RESETHAND, SA_NODEFER, SA_ONSTACK, SA_NOCLDSTOP, SA_NOCLDWAIT };

/** An action as the system calls take it. */
function actionOf(c: Cpu, handler: string): number {
  if (handler === "none") return NO_ACTION;
  return handler === "default" ? -2 : handler === "ignore" ? -1 : c.flowOf(handlerFlow(handler));
}

type Compile = { readonly [N in OperationName]: (op: OperationOf<N>, x: Context) => Items };

const COMPILE: Compile = {
  ...NEWER,
  compute: (op, { s }) => [
    s.act(
      "compute",
      (c, v) => {
        // A log says when its kernel saw the next call: there the run keeps its time, whatever handlers ran meanwhile.
        if (op.until !== undefined && c.wiring.native) c.ns = Math.max(0, op.until - c.now);
        else c.ns = v.left > 0 ? v.left : op.for;
        v.left = 0;
        c.value = c.ns;
        c.t.app.computing = c.now + c.ns;
      },
      "app.compute",
    ),
  ],
  read: (op, x) => (plainError(op) ? opaque(x, op) : call(x, op, "read", (c) => waitArgs(c, op, op.from, { bytes: op.bytes }))),
  write: (op, x) => (plainError(op) ? opaque(x, op) : call(x, op, "write", (c) => waitArgs(c, op, op.to, { bytes: op.bytes }))),
  accept: (op, x) => (plainError(op) ? opaque(x, op) : call(x, op, "accept", (c) => waitArgs(c, op, op.on, { result: op.result ?? 4 }))),
  close: (op, x) => call(x, op, "close", (c) => callArgs({ object: c.object(op.what) })),
  poll: (op, x) => call(x, op, "poll", (c) => pollArgs(c, op)),
  "epoll-wait": (op, x) => (op.pwait2 ? epollPwait2(x, op) : call(x, op, "epoll_wait", (c) => pollArgs(c, op))),
  "futex-wait": (op, x) =>
    call(x, op, "futex_wait", (c) =>
      extended(waitArgs(c, op, op.on, { timeout: op.timeout }), { changed: op.changed === true, tid: false }),
    ),
  "futex-wake": (op, x) =>
    call(x, op, "futex_wake", (c) => extended(callArgs({ object: c.object(op.on), bytes: op.count }), { targets: [] })),
  semop: (op, x) => call(x, op, "semop", (c) => waitArgs(c, op, op.on)),
  msgrcv: (op, x) => call(x, op, "msgrcv", (c) => waitArgs(c, op, op.on, { result: op.result ?? 1 })),
  nanosleep: (op, x) => call(x, op, "nanosleep", () => extended(callArgs({ timeout: op.for }), { rem: op.rem, absolute: false })),
  pause: (op, x) => call(x, op, "pause", () => callArgs()),
  sigsuspend: (op, x) => call(x, op, "sigsuspend", () => extended(callArgs(), { mask: op.nomask ? null : setOf(op.mask), old: [0, 0] })),
  sigaction: (op, x) =>
    call(x, op, "sigaction", (c) =>
      extended(callArgs(), {
        signal: op.signal,
        handler: actionOf(c, op.handler),
        flags: op.flags.reduce((flags, flag) => flags | (FLAGS[flag] ?? 0), op.norestorer ? SA_NO_RESTORER : 0),
        mask: setOf(op.mask),
        old: op.old,
      }),
    ),
  sigprocmask: (op, x) =>
    call(x, op, "sigprocmask", () =>
      extended(callArgs(), {
        how: op.how,
        mask: setOf(op.signals),
        old: op.old !== false,
        readOnly: op.old === "read-only",
        size: op.size ?? 8,
      }),
    ),
  sigpending: (op, x) => call(x, op, "sigpending", () => callArgs()),
  sigaltstack: (op, x) =>
    call(x, op, "sigaltstack", () =>
      extended(callArgs({ bytes: op.bytes }), { disable: op.disable, onstack: op.onstack, nostack: op.nostack, old: op.old }),
    ),
  kill: (op, x) => call(x, op, "kill", () => killArgs(op.process, op.signal, op.group, op.takers)),
  tgkill: (op, x) =>
    call(x, op, "tgkill", () => ({
      thread: op.thread,
      signal: op.signal,
      target: -1,
      sender: 0,
      takers: op.takers ?? {},
      ret: 0,
    })),
  alarm: (op, x) => call(x, op, "alarm", () => extended(callArgs(), { after: op.after })),
  setitimer: (op, x) =>
    call(x, op, "setitimer", () => extended(callArgs(), { value: op.value, interval: op.interval, which: op.which, old: op.old })),
  fioasync: (op, x) => call(x, op, "ioctl", (c) => callArgs({ object: c.object(op.on) })),
  wait4: (op, x) =>
    call(x, op, "wait4", (c) =>
      extended(callArgs({ object: childNamed(c, op.child), bytes: op.nohang ? 1 : 0 }), {
        finds: childNamed(c, op.finds),
        exited: true,
        stopped: op.untraced,
        continued: op.continued,
        keep: false,
        status: 0,
        tid: 0,
        process: -1,
      }),
    ),
  clone: (op, x) => call(x, op, "clone", () => extended(callArgs(), { program: op.program, vfork: false })),
  "pthread-join": (op, x) => call(x, op, "pthread_join", () => ({ thread: op.thread, word: -1 })),
  fork: (op, x) => call(x, op, "fork", () => extended(callArgs(), { program: op.program })),
  vfork: (op, x) => call(x, op, "vfork", () => extended(callArgs(), { program: op.program })),
  "posix-spawn": (op, x) => call(x, op, "posix_spawn", () => extended(callArgs(), { program: op.program })),
  exec: (op, x) =>
    call(x, op, "execve", (c) => {
      c.process(c.t).flags = [];
      return extended(callArgs({ takes: op.takes }), { loader: op.loader });
    }),
  exit: (op, x) => call(x, op, "exit", () => extended(callArgs(), { status: op.status })),
  "exit-group": (op, x) => call(x, op, "exit_group", () => extended(callArgs(), { status: op.status })),
  yield: (op, x) => call(x, op, "sched_yield", () => callArgs()),
  getpid: (op, x) => call(x, op, "getpid", () => callArgs()),
  gettime: (op, x) => call(x, op, "gettimeofday", () => callArgs()),
  "probe-memory": (op, x) => call(x, op, "probe", () => extended(callArgs(), { valid: op.valid, address: 0x1000 })),
  call: (op, x) =>
    chosenCall(
      x,
      op,
      (c) => c.wiring.stack.lacks?.(op.name) ?? "call",
      () => callArgs({ takes: op.takes, result: op.result, interruptible: op.interruptible ?? INTERRUPTIBLE.has(op.name) }),
    ),
  fault: (op, { s }) => [
    s.act(
      op.at === "unmapped" ? `fault: ${op.what}` : `fault: ${op.what}, ${op.at}`,
      (c, v) => {
        v.address = op.address ?? 0x1000;
        v.vma = op.what === "stack" ? "stack-guard" : op.at;
        v.fault = op.what;
        faultAt(c, v.vma === "stack-guard" ? "stack" : op.what, v.address, op.at);
      },
      "app.fault",
    ),
  ],
  vectors: (op, { s }) => [
    s.act(
      op.what === "live"
        ? "vector registers hold live values"
        : op.what === "clobber"
          ? "vector registers are used"
          : "are the vector registers as they were?",
      (c) => {
        if (op.what === "live") c.t.app.vectors = 1;
        if (op.what === "clobber") c.t.app.vectors = 2;
        c.value = c.t.app.vectors === 1 ? 1 : 0;
      },
      op.what === "check" ? "branch" : "step",
    ),
  ],
  "skip-fault": (_, { s }) => [
    s.act("ucontext: RIP past the faulting instruction", (c) => {
      // Whoever called the handler puts the registers back: the kernel's frame, or the LibOS (__handle_one_signal).
      const caller = running(c.t).at(-2);
      const frame = localsOf(c, caller, restoreRt) ?? localsOf(c, caller, restorer) ?? localsOf(c, caller, LIBOS.__handle_one_signal);
      if (frame) frame.skip = true;
    }),
  ],
  "context-mask": (op, { s }) => [
    s.act("ucontext: another mask", (c) => {
      // The kernel takes the mask from the frame, as does a LibOS that builds one; that of 2019 keeps its own.
      const caller = running(c.t).at(-2);
      const frame = localsOf(c, caller, restoreRt) ?? localsOf(c, caller, restorer);
      if (frame) frame.mask = setOf(op.signals);
    }),
  ],
  "by-run": (op, { s, flow }) => [
    s.act("which run is it?", (c, v) => {
      const { app, name } = c.t;
      const key = keyOf(flow);
      const n = app.runs[key] ?? 0;
      app.runs[key] = n + 1;
      const known = Object.hasOwn(op.threads, name) ? op.threads[name] : undefined;
      v.ends = (c.wiring.native ? known?.ends[n] : 0) ?? 0;
      become(c.program, topFrame(c.t), c.flowOf(handlerFlow(known?.as[n] ?? op.otherwise)), v, BODY);
    }),
  ],
  sigsetjmp: (op, x) => {
    const after = x.fresh("after");
    return [
      x.s.test(
        `sigsetjmp(${op.place})`,
        (c) => {
          const frame = topFrame(c.t);
          const stack = c.t.stack;
          c.t.app.places[keyOf(op.place)] = {
            stack,
            depth: stackOf(c.t, stack).length,
            flow: frame.flow,
            pc: jumpTarget(c.program, frame),
            mask: c.wiring.stack.appMask(c.t),
          };
          return false;
        },
        after,
        "app.setjmp",
      ),
      ...x.inner(op.do),
      x.s.at(after),
    ];
  },
  siglongjmp: (op, x) => [
    ...(op.mask ? [restoreMask(op, x)] : []),
    x.s.act(
      `siglongjmp(${op.place})`,
      (c, v) => {
        c.signal = v.signal;
        c.extra = v.id;
        c.t.app.stackFull = false;
        longjmp(c, op.place);
      },
      "app.handler.longjmp",
    ),
  ],
  loop,
  retry,
  if: decision,
  set: setFlag,
  logged,
};

const restoreMask = (op: OperationOf<"siglongjmp">, x: Context): Step =>
  x.s.call(
    "siglongjmp: restore the mask",
    LIBC.sigprocmask,
    (c) => {
      c.value = x.number;
      return extended(callArgs(), {
        how: "set" as const,
        mask: c.t.app.places[keyOf(op.place)]?.mask ?? emptySet(),
        old: false,
        readOnly: false,
        size: 8,
      });
    },
    // libc makes it as any other call of the program's.
    "app.call",
  );

function body(s: Steps<Program>, operations: readonly Operation[], flow: string, own: Locals, sorts: Sorts): Items {
  let marks = 0;
  let number = 0;
  const fresh = (name: string): string => `${name} ${(marks += 1)}`;
  const counter = (): string => {
    const name = fresh("n");
    own[name] = 0;
    return name;
  };
  const one = (op: Operation, x: Context): Items => (COMPILE[op.op] as (op: Operation, x: Context) => Items)(op, x);
  const told = (): boolean => true;
  const inner = (list: readonly Operation[]): Items =>
    list.flatMap((op) => {
      const x: Context = { s, fresh, counter, inner, one, number: number + 1, sorts, told, flow };
      number += countOf(op);
      return one(op, x);
    });
  return inner(operations);
}

/** What a program or handler keeps in its frame, beside the counters of its loops: those are added as they are compiled. */
const ownLocals = (): Locals => ({
  left: 0,
  address: 0,
  vma: "",
  fault: "",
  signal: 0,
  id: 0,
  event: 0,
  info: NO_INFO,
  ends: 0,
  result: 0,
});

/** `plain` makes the frames of all programs that have no counters: they have the same variables. */
function programOf(name: string, operations: readonly Operation[], sorts: Sorts, plain: LocalsMaker): Flow {
  return flow<Program>(programFlow(name), "app", "", (s) => {
    const own = ownLocals();
    const items = body(s, operations, name, own, sorts);
    return [hasCounters(own) ? s.own(own) : s.own(own, plain), ...items, s.ret("end of the program")];
  });
}

const hasCounters = (own: Locals): boolean => Object.keys(own).length > Object.keys(ownLocals()).length;

/** What the handler can read as it starts, for the verdict to compare. Reading it costs nothing here: the program may not do so. */
const told = (s: Steps<Program>): Step[] => [
  s.act(
    "siginfo: si_signo, si_code, si_pid",
    (c, v) => {
      c.signal = v.info.signo;
      c.value = v.info.code;
      c.extra = v.info.pid;
    },
    "app.siginfo",
  ),
  s.act(
    "siginfo: si_status, si_addr or si_value",
    (c, v) => {
      c.value = v.info.value;
      c.extra = v.info.which;
    },
    "app.siginfo.more",
  ),
  s.act(
    "the mask while the handler runs",
    (c, v) => {
      const [low, high] = c.wiring.stack.appMask(c.t);
      c.value = low >>> 0;
      c.extra = high;
      enterHandler(c, v.signal);
    },
    "app.mask",
  ),
];

/** A handler's first own step: after its start and what it is told. */
const BODY = "the handler's own steps";

function handlerOf(name: string, operations: readonly Operation[], timed: boolean, sorts: Sorts): Flow {
  const own = ownLocals();
  return flow<Program>(handlerFlow(name), "app", "", (s) => [
    s.own(own),
    s.act(
      `${name}()`,
      (c, v) => {
        c.t.app.inHandler += 1;
        c.signal = v.signal;
        c.value = c.t.signalFrames;
        c.extra = v.id;
      },
      "app.handler.enter",
    ),
    ...told(s),
    s.at(BODY),
    ...body(s, operations, name, own, sorts),
    ...(timed ? [evenOut(s)] : []),
    s.ret(
      "handler returns",
      (c, v) => {
        c.t.app.inHandler -= 1;
        c.signal = v.signal;
        c.value = c.t.signalFrames;
        c.extra = v.id;
      },
      "app.handler.return",
    ),
  ]);
}

export function scenarioFlows(scenario: Scenario): Flow[] {
  const timed = new Set(Object.values(scenario.handlers).flatMap((list) => list.flatMap(goesOnAs)));
  const programs = Object.keys(scenario.programs);
  const inPrograms: Sorts = { steps: new Map(), lists: new Map(), programs, sharedAs: PROGRAMS_FLOW };
  const inHandlers: Sorts = { steps: new Map(), lists: new Map(), programs, sharedAs: undefined };
  const plain = localsMaker(ownLocals());
  return [
    programOf("main", scenario.main, inPrograms, plain),
    ...Object.entries(scenario.programs).map(([name, operations]) => programOf(name, operations, inPrograms, plain)),
    ...Object.entries(scenario.handlers).map(([name, operations]) => handlerOf(name, operations, timed.has(name), inHandlers)),
  ];
}
