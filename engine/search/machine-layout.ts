/** The layout of the machine's state for a search: what of it is changed in place, and which fields do not decide what happens. */

import type {
  AppState,
  Frame,
  HostAction,
  HostObject,
  HostSignal,
  HostTimer,
  Machine,
  PlanState,
  Process,
  SgxState,
  SsaFrame,
  Stray,
  Thread,
  Wait,
} from "../state.ts";
import { type LocalsLayout, list, type OwnLayout, type RecordLayout, record, table } from "./layout.ts";

/** Fields of locals that have one meaning in all flows. */
const LOCALS: LocalsLayout = {
  what: "locals",
  fields: { id: "identity", carried: "identity", until: "clock", ends: "clock" },
};

const FRAME = record<Frame>("Frame", { v: LOCALS });

const SSA_FRAME = record<SsaFrame>("SsaFrame", { push: list(FRAME), id: "identity" });

const SGX = record<SgxState>("SgxState", { ssa: list(SSA_FRAME), kind: "essential" });

const APP = record<AppState>("AppState", {
  handlers: table("essential"),
  runs: table("essential"),
  armed: list(record<AppState["armed"][number]>("Armed", {})),
  places: table("essential"),
  pinned: list("essential"),
  computing: "clock",
});

const HOST_SIGNAL = record<HostSignal>("HostSignal", { info: "essential", id: "identity", at: "clock" });

const threadLayout = ({ pal, libos }: OwnLayout["thread"]): RecordLayout =>
  record<Thread>("Thread", {
    host: list(FRAME),
    enclave: list(FRAME),
    hostMask: "essential",
    savedMask: "essential",
    realBlocked: "essential",
    hostPending: list(HOST_SIGNAL),
    mail: "essential",
    wait: record<Wait>("Wait", { objects: "essential", deadline: "clock" }),
    sgx: SGX,
    pal,
    libos,
    app: APP,
    time: "clock",
    id: "identity",
    tid: "identity",
  });

const CPU_TIMER = record<Process["cpuTimers"]["prof"]>("CpuTimer", {});

const processLayout = ({ pal, libos }: OwnLayout["process"]): RecordLayout =>
  record<Process>("Process", {
    end: "essential",
    threads: list("essential"),
    hostActions: table(record<HostAction>("HostAction", { mask: "essential" })),
    hostPending: list(HOST_SIGNAL),
    timers: list(record<HostTimer>("HostTimer", { next: "clock" })),
    cpuTimers: record<Process["cpuTimers"]>("CpuTimers", { virtual: CPU_TIMER, prof: CPU_TIMER }),
    flags: list("essential"),
    timer: "clock",
    pid: "identity",
    internalThreads: "identity",
    pal,
    libos,
  });

const layoutFor = (own: OwnLayout): RecordLayout =>
  record<Machine>("Machine", {
    threads: list(threadLayout(own.thread)),
    live: list("essential"),
    processes: list(processLayout(own.process)),
    known: list("essential"),
    objects: list(record<HostObject>("HostObject", { fd: "essential", messages: "essential" })),
    freeObjects: list("essential"),
    names: table("identity"),
    objectsByName: table("essential"),
    plans: list(record<PlanState>("PlanState", { next: "clock" })),
    due: list("essential"),
    changes: list("essential"),
    strays: list(record<Stray>("Stray", { id: "identity" })),
    signalfds: list("essential"),
    rng: list("essential"),
    questions: record<Machine["questions"]>("Questions", { asked: list("history"), kept: list("history"), seq: "history" }),
    seq: "running",
    idle: "running",
    now: "running",
    nextPid: "identity",
    nextSignalId: "identity",
  });

const layouts = new WeakMap<OwnLayout, RecordLayout>();

/** The layout of a machine that runs a stack with this part of its own: the same one each time, because classes are made from it. */
export function machineLayout(own: OwnLayout): RecordLayout {
  const known = layouts.get(own);
  if (known !== undefined) return known;
  const layout = layoutFor(own);
  layouts.set(own, layout);
  return layout;
}
