/** Reference 3.1 `sgx-interrupted-code-lost`; the road is that of 2.3 and 2.6. */

import { type Block, E, EVENT, errnoOf, KIND, PAL_ERROR, resultText, signalName, signalNumber } from "../../engine/index.ts";
import type { Evidence } from "../finding.ts";
import { type Entry, type Nesting, nesting } from "../nesting.ts";
import { type PerThread, perThread } from "../per-thread.ts";
import type { Names, Report, Rule, RuleState } from "../rule.ts";

const NONE = -1;
/** As the untrusted PAL puts it into RDI. */
const INTERRUPTED = -PAL_ERROR.INTERRUPTED;
/** Host signal of the RESUME event: it stands for what is pending in the LibOS. */
const SIGCONT = signalNumber("SIGCONT");

/**
 * LibOS functions that answer a failed PAL call with -PAL_ERRNO (2.20): only they pass the code on when it is kept. The others
 * (poll, wait4, pause, the locks, ...) never look at it: what goes wrong there is another bug, with or without the code.
 */
const ASKS_PAL_ERRNO: ReadonlySet<string> = new Set([
  "pipe_read",
  "pipe_write",
  "socket_read",
  "socket_write",
  "chroot_read (device)",
  "chroot_write (device)",
  "shim_do_accept",
  "shim_do_futex_wait",
  "shim_do_call",
]);

/** What such a function makes of a failed PAL call. To a futex wait, EAGAIN means that the time is over. */
function answerOf(flow: string, errno: number): number {
  const answer = 0 - errnoOf(errno);
  return flow === "shim_do_futex_wait" && answer === E.AGAIN ? E.TIMEDOUT : answer;
}

/** A system call, from where the application calls it to its return there. */
interface Call extends Entry {
  text: string;
  /** Seq of its exit from the LibOS, NONE before. */
  left: number;
  result: number;
  lost: Lost | null;
}
/** A PAL call, and the way of the event that interrupts its ocall. */
interface PalCall extends Entry {
  flow: string;
  seq: number;
  errno: number;
  /** A FAILURE was raised since it was entered: then the error the LibOS sees is that one. */
  raised: boolean;
  /** Signal id of the event, NONE when nothing interrupts. */
  event: number;
  signal: number;
  injected: number;
  injectedAt: number;
  entered: number;
  /** The upcall of the event: its seq, NONE before, and its time. */
  upcall: number;
  upcallAt: number;
  handler: number;
}
/** What is kept of an abandoned PAL call until its system call returns. */
interface Lost {
  readonly flow: string;
  readonly errno: number;
  /** What the system call returns when nobody sets pal_errno before the LibOS asks for it. */
  readonly answer: number;
  readonly event: number;
  signal: number;
  handled: boolean;
  readonly evidence: Evidence[];
  readonly costNs: number;
}
interface State {
  readonly calls: Nesting<Call>;
  readonly pals: Nesting<PalCall>;
}

const freshCall = (): Call => ({ depth: 0, text: "", left: NONE, result: 0, lost: null });
const freshPalCall = (): PalCall => ({
  depth: 0,
  flow: "",
  seq: 0,
  errno: 0,
  raised: false,
  event: NONE,
  signal: 0,
  injected: 0,
  injectedAt: 0,
  entered: NONE,
  upcall: NONE,
  upcallAt: 0,
  handler: NONE,
});
const fresh = (): State => ({ calls: nesting(freshCall), pals: nesting(freshPalCall) });

/** Where signals were generated, by id, for the newest of them. */
const KEPT_IDS = 4096;

export const sgxInterruptedCodeLost: Rule = {
  id: "sgx-interrupted-code-lost",
  title: "an interrupted system call does not say so: its error code is lost in the enclave",
  severity: "high",
  layers: ["pal", "libos"],
  what:
    "A signal comes while a thread is outside the enclave in an ocall. The untrusted PAL makes the ocall's result -13 (interrupted) and " +
    "re-enters. The enclave handles the event at once, and DkExceptionReturn abandons the PAL call with its frame: the PAL call returns 0, " +
    "no FAILURE(13) is raised, pal_errno keeps what it was. The rule looks for a PAL call left that way, with pal_errno as at its entry, " +
    "inside a system call that answers with -PAL_ERRNO and returns that old error instead of -EINTR.",
  why:
    "The program sees an old error of another call, or success with 0: a read looks like the end of the file, an accept like descriptor 0. " +
    "Programs close the connection, lose data, or loop.",
  mend: "Raise FAILURE(PAL_ERROR_INTERRUPTED) before the upcall (Graphene 8bf06ca6c, 2019-04-25); later the frame is not left at all (021934926).",
  fix: "sgx-interrupted-code-lost",
  not: [
    "a RESUME event while the thread is in DkObjectsWaitAny: the code survives",
    "an event outside any PAL call: nothing is abandoned",
    "pal_errno was 13 already: the answer is right by luck",
    "a handler raised a FAILURE before the LibOS asked for pal_errno: the answer is that one, another bug (pal-errno-clobbered-by-handler)",
    "poll, epoll_wait, wait4, semop, msgrcv, pause, locks: they never ask pal_errno, so they go wrong with the code too (reference 3.2)",
  ],
  cost: "from the injected code to the upcall that does not tell of it: the host's signal return and an enclave entry",
  source: "reference 3.1; flows of 2.3 and 2.6",
  example: "lost-interrupted-error",
  kinds: [
    "host.signal.generate",
    "pal.event.inject",
    "pal.event.overwrite",
    "sgx.eenter",
    "app.call",
    "app.return",
    "app.handler.enter",
    "libos.syscall.exit",
    "libos.upcall.enter",
    "pal.call.enter",
    "pal.call.leave",
    "pal.call.abandon",
    "thread.exit",
  ],
  start,
};

function start(names: Names, report: (found: Report) => void): RuleState {
  const threads: PerThread<State> = perThread(fresh);
  const generated = new Map<number, number>();

  const remember = (id: number, seq: number): void => {
    generated.set(id, seq);
    if (generated.size <= KEPT_IDS) return;
    for (const oldest of generated.keys()) {
      generated.delete(oldest);
      return;
    }
  };

  const enterPal = (pal: PalCall, block: Block, row: number): void => {
    pal.flow = names.sites[block.site[row] as number]?.flow ?? "";
    pal.seq = block.seq0 + row;
    pal.errno = block.value[row] as number;
    pal.raised = false;
    pal.event = NONE;
    pal.entered = NONE;
    pal.upcall = NONE;
    pal.handler = NONE;
  };

  /** The registers of an ocall were rewritten; before EENTER they can be rewritten again. */
  const inject = (pal: PalCall | null, block: Block, row: number): void => {
    if (pal === null || pal.entered !== NONE) return;
    pal.event = block.extra[row] as number;
    pal.signal = block.signal[row] as number;
    pal.injected = block.seq0 + row;
    pal.injectedAt = block.time[row] as number;
  };

  /** DkExceptionReturn left this PAL call (2.6). */
  const abandon = (call: Call, pal: PalCall, block: Block, row: number): void => {
    const seq = block.seq0 + row;
    const errno = block.value[row] as number;
    const left = names.sites[block.site[row] as number]?.flow ?? "the PAL";
    if (!ASKS_PAL_ERRNO.has(pal.flow) || pal.entered === NONE || pal.raised || pal.errno !== errno) return;
    const evidence: Evidence[] = [
      { seq: pal.seq, caption: `the LibOS calls the PAL; pal_errno is ${errno}` },
      { seq: pal.injected, caption: "the ocall's result becomes -PAL_ERROR_INTERRUPTED, and an event comes with it" },
      { seq: pal.entered, caption: `back in the enclave; the result in RDI is ${INTERRUPTED} (-PAL_ERROR_INTERRUPTED)` },
    ];
    if (pal.upcall !== NONE) evidence.push({ seq: pal.upcall, caption: "the event is handled first: nobody has looked at the result yet" });
    const sent = generated.get(pal.event);
    if (sent !== undefined) evidence.push({ seq: sent, caption: "the host makes the signal pending" });
    if (pal.handler !== NONE) evidence.push({ seq: pal.handler, caption: "the application's handler runs" });
    evidence.push({
      seq,
      caption: `the wrong turn, in ${left}: the PAL call is left as if it had returned 0, and pal_errno is still ${errno}: nobody tells the LibOS "interrupted"`,
    });
    evidence.sort((a, b) => a.seq - b.seq);
    const { flow, event, signal } = pal;
    const costNs = pal.upcallAt - pal.injectedAt;
    call.lost = { flow, errno, answer: answerOf(flow, errno), event, signal, handled: pal.handler !== NONE, evidence, costNs };
  };

  /** The handler of the event: in its upcall, or later in the system call when a lock put it off. */
  const handle = (call: Call | null, pal: PalCall | null, block: Block, row: number): void => {
    const seq = block.seq0 + row;
    const signal = block.signal[row] as number;
    const id = block.extra[row] as number;
    if (pal !== null && pal.entered !== NONE && pal.handler === NONE && (pal.signal === SIGCONT || pal.event === id)) {
      pal.handler = seq;
      pal.signal = signal;
      return;
    }
    const lost = call !== null && call.left === NONE ? call.lost : null;
    if (lost === null || lost.handled || (lost.signal !== SIGCONT && lost.event !== id)) return;
    lost.evidence.push({ seq, caption: "the application's handler runs, put off until a lock was released" });
    lost.signal = signal;
    lost.handled = true;
  };

  /** `back` is the row that has the call in the application again, null when trace or thread end before. */
  const tell = (thread: number, call: Call, back: number | null): void => {
    const { lost, left, text } = call;
    if (lost === null || left === NONE || call.result === E.INTR || call.result !== lost.answer) return;
    call.lost = null;
    const result = resultText(call.result);
    const seen = call.result === 0 ? "0, which looks like success or the end of the data," : result;
    lost.evidence.push({ seq: left, caption: `the LibOS asks pal_errno, which is ${lost.errno}, and returns ${result}` });
    if (back !== null) lost.evidence.push({ seq: back, caption: `the application sees ${seen} instead of -EINTR` });
    report({
      title: `${text} returns ${result} instead of -EINTR after ${signalName(lost.signal)}`,
      thread,
      costNs: lost.costNs,
      evidence: lost.evidence,
      same: [lost.flow, lost.signal, call.result],
    });
  };

  const tellOpen = (thread: number, state: State): void => state.calls.each((call) => tell(thread, call, null));

  return {
    take(block, row) {
      const kind = block.kind[row] as number;
      const seq = block.seq0 + row;
      const value = block.value[row] as number;
      const extra = block.extra[row] as number;
      if (kind === KIND["host.signal.generate"]) return remember(extra, seq);
      const thread = block.thread[row] as number;
      const depth = block.depth[row] as number;
      const state = threads.of(thread);
      const { calls, pals } = state;
      // What these two leave was one deeper, and is looked at once more.
      const open = kind === KIND["app.return"] || kind === KIND["pal.call.abandon"] ? depth + 1 : depth;
      calls.backTo(open);
      pals.backTo(open);
      const call = calls.top();
      const pal = pals.top();
      switch (kind) {
        case KIND["app.call"]: {
          const entered = calls.enter(depth);
          entered.text = names.sites[block.site[row] as number]?.label ?? "a system call";
          entered.left = NONE;
          entered.lost = null;
          return;
        }
        case KIND["libos.syscall.exit"]:
          if (call?.depth !== depth) return;
          call.left = seq;
          call.result = value;
          return;
        case KIND["app.return"]:
          if (call?.depth === open) tell(thread, call, seq);
          return calls.backTo(depth);
        case KIND["pal.call.enter"]:
          return enterPal(pals.enter(depth), block, row);
        case KIND["pal.event.inject"]:
        case KIND["pal.event.overwrite"]:
          return inject(pal, block, row);
        case KIND["sgx.eenter"]:
          if (extra === INTERRUPTED && pal !== null && pal.event !== NONE && pal.entered === NONE) pal.entered = seq;
          return;
        case KIND["libos.upcall.enter"]:
          if (value === EVENT.FAILURE) pals.each(raise);
          else if (pal?.event === extra) {
            pal.upcall = seq;
            pal.upcallAt = block.time[row] as number;
          }
          return;
        case KIND["app.handler.enter"]:
          return handle(call, pal, block, row);
        case KIND["pal.call.abandon"]:
          if (call !== null && pal?.depth === open && pal.event === extra) abandon(call, pal, block, row);
          return pals.backTo(depth);
        case KIND["thread.exit"]:
          tellOpen(thread, state);
          threads.drop(thread);
          return;
      }
    },
    finish() {
      threads.each(tellOpen);
    },
  };
}

const raise = (pal: PalCall): void => {
  pal.raised = true;
};
