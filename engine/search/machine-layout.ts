/** The layout of the machine's state for a search: what of it is changed in place, and which fields do not decide what happens. */

import type {
  AppState,
  AsyncEvent,
  Frame,
  HostAction,
  HostObject,
  HostSignal,
  HostTimer,
  IpcState,
  LibosState,
  Machine,
  PalState,
  PlanState,
  Process,
  Ring,
  SgxState,
  ShimChild,
  ShimSignal,
  SsaFrame,
  Thread,
  Wait,
} from "../state.ts";
import { type LocalsLayout, list, record, table } from "./layout.ts";

/** Fields of locals that have one meaning in all flows. */
const LOCALS: LocalsLayout = {
  what: "locals",
  fields: { id: "identity", carried: "identity", until: "clock", ends: "clock" },
};

const FRAME = record<Frame>("Frame", { v: LOCALS });

const SSA_FRAME = record<SsaFrame>("SsaFrame", { push: list(FRAME), id: "identity" });

const SGX = record<SgxState>("SgxState", { ssa: list(SSA_FRAME) });

const PAL = record<PalState>("PalState", {
  queue: list(record<PalState["queue"][number]>("PalEvent", { id: "identity" })),
  pendingId: "identity",
});

const RING = record<Ring>("Ring", { slots: list(record<ShimSignal>("ShimSignal", { info: "essential", id: "identity" })) });

const LIBOS = record<LibosState>("LibosState", {
  mask: "essential",
  rings: table(RING),
  actions: table(record<LibosState["actions"][number]>("LibosAction", { mask: "essential" })),
  exited: list(record<LibosState["exited"][number]>("Exited", {})),
});

const APP = record<AppState>("AppState", {
  handlers: table("essential"),
  runs: table("essential"),
  armed: list(record<AppState["armed"][number]>("Armed", {})),
  places: table("essential"),
  pinned: list("essential"),
  computing: "clock",
});

const HOST_SIGNAL = record<HostSignal>("HostSignal", { info: "essential", id: "identity", at: "clock" });

const THREAD = record<Thread>("Thread", {
  host: list(FRAME),
  enclave: list(FRAME),
  hostMask: "essential",
  savedMask: "essential",
  realBlocked: "essential",
  hostPending: list(HOST_SIGNAL),
  cloned: "essential",
  mail: "essential",
  wait: record<Wait>("Wait", { objects: "essential", deadline: "clock" }),
  sgx: SGX,
  pal: PAL,
  libos: LIBOS,
  app: APP,
  time: "clock",
  id: "identity",
  tid: "identity",
});

const CPU_TIMER = record<Process["cpuTimers"]["prof"]>("CpuTimer", {});

const PROCESS = record<Process>("Process", {
  end: "essential",
  threads: list("essential"),
  hostActions: table(record<HostAction>("HostAction", { mask: "essential" })),
  hostPending: list(HOST_SIGNAL),
  timers: list(record<HostTimer>("HostTimer", { next: "clock" })),
  cpuTimers: record<Process["cpuTimers"]>("CpuTimers", { virtual: CPU_TIMER, prof: CPU_TIMER }),
  locks: table("essential"),
  lockObjects: table("essential"),
  upcalls: table("essential"),
  asyncList: list(record<AsyncEvent>("AsyncEvent", {})),
  realItimer: record<Process["realItimer"]>("RealItimer", {}),
  threadList: list("essential"),
  endedThreads: list(record<Process["endedThreads"][number]>("TidRun", {})),
  ipc: record<IpcState>("IpcState", { queue: list("essential"), children: list("essential"), waiting: list("essential") }),
  children: list(record<ShimChild>("ShimChild", {})),
  closedObjects: list("essential"),
  futexes: table(list("essential")),
  exiting: record<Process["exiting"]>("ProcessEnd", {}),
  flags: list("essential"),
  timer: "clock",
  pid: "identity",
  asyncEvents: "identity",
  internalThreads: "identity",
});

export const MACHINE = record<Machine>("Machine", {
  threads: list(THREAD),
  live: list("essential"),
  processes: list(PROCESS),
  known: list("essential"),
  objects: list(record<HostObject>("HostObject", { fd: "essential" })),
  freeObjects: list("essential"),
  names: table("identity"),
  objectsByName: table("essential"),
  plans: list(record<PlanState>("PlanState", { next: "clock" })),
  due: list("essential"),
  changes: list("essential"),
  signalfds: list("essential"),
  rng: list("essential"),
  questions: record<Machine["questions"]>("Questions", { asked: list("history"), kept: list("history"), seq: "history" }),
  seq: "running",
  idle: "running",
  now: "running",
  nextPid: "identity",
  nextSignalId: "identity",
});
