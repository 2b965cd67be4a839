/** Reference 3.1 `sgx-interrupted-code-lost`; the flows are those of 2.3 and 2.6. */

import { E, errnoOf, PAL_ERROR, resultText, SIG, type StackName, signalName } from "../../../engine/index.ts";
import { HOW, isHandlerOf, NONE, SA, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";

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

interface Data {
  /** The system call as the application writes it. */
  readonly call: string;
  /** Function of the LibOS that called the PAL, and the one in which the PAL call was left. */
  readonly flow: string;
  readonly left: string;
  readonly signal: number;
  /** pal_errno, at the PAL call's entry and at its end. */
  readonly errno: number;
  readonly result: number;
  /** What Linux does: -EINTR; starts the call again (SA_RESTART); or goes on, since no handler runs. */
  readonly linux: "interrupted" | "restarted" | "goes-on";
}
type Id = "asked" | "sent" | "injected" | "entered" | "upcall" | "handled" | "abandoned" | "handled-late" | "answered" | "seen";
type Evidence = Found<Data, Id>["evidence"][number];

/** What is known of an abandoned PAL call until its system call returns. */
interface Lost extends Omit<Data, "call" | "result" | "linux"> {
  readonly event: number;
  signal: number;
  handled: boolean;
  readonly costNs: number;
  readonly evidence: Evidence[];
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On calls of the application. */
  const losses = m.notesOnScopes<Lost>(callOver);

  /** DkExceptionReturn left this PAL call (2.6). */
  function abandon(): void {
    const [pal, call] = [m.closed, m.open(SCOPE.CALL)];
    const event = m.interruptionOf(pal);
    if (event === null || call === NONE || event.entered === NONE || event.event !== m.extra) return;
    const [flow, errno] = [m.flowOf(pal), m.value];
    if (!ASKS_PAL_ERRNO.has(flow) || m.hasFailedSince(m.seqOf(pal)) || m.valueOfRow(pal) !== errno) return;
    const evidence: Evidence[] = [
      { id: "asked", seq: m.seqOf(pal) },
      { id: "sent", seq: m.generatedSeq(event.event) },
      { id: "injected", seq: event.injected },
      { id: "entered", seq: event.entered },
      { id: "upcall", seq: event.upcall },
      { id: "handled", seq: event.handler },
      { id: "abandoned", seq: m.seq },
    ];
    losses.set(call, {
      flow,
      errno,
      left: m.flowHere(),
      event: event.event,
      signal: event.signal,
      handled: event.handler !== NONE,
      evidence: evidence.filter(({ seq }) => seq !== NONE),
      costNs: event.upcallAt - event.injectedAt,
    });
  }

  /** A lock put the handler off until the PAL call was left. */
  function handleLate(): void {
    const call = m.open(SCOPE.CALL);
    const lost = losses.get(call);
    const isOfAnother = m.interruptionOf(m.open(SCOPE.PAL_CALL))?.handler === m.seq;
    if (lost === null || lost.handled || isOfAnother || m.libosExitOf(call) !== NONE || !isHandlerOf(lost.event, lost.signal, m.extra))
      return;
    lost.evidence.push({ id: "handled-late", seq: m.seq });
    lost.signal = m.signal;
    lost.handled = true;
  }

  function linuxDoes(signal: number, evidence: readonly Evidence[]): Data["linux"] {
    if (signal === SIG.CONT || !evidence.some(({ id }) => id === "handled" || id === "handled-late")) {
      const action = m.actionOf(signal)?.action ?? 0;
      return signal === SIG.CONT || action === 1 || m.blocks(signal) === true ? "goes-on" : "interrupted";
    }
    return ((m.actionOf(signal)?.flags ?? 0) & SA.RESTART) === 0 ? "interrupted" : "restarted";
  }

  function callOver({ flow, left, errno, signal, costNs, evidence }: Lost, call: number): void {
    const [result, exit] = [m.libosResultOf(call), m.libosExitOf(call)];
    if (m.how === HOW.DROPPED || exit === NONE || result === E.INTR || result !== answerOf(flow, errno)) return;
    evidence.push({ id: "answered", seq: exit });
    if (m.how === HOW.RETURNED) evidence.push({ id: "seen", seq: m.seq });
    found({
      thread: m.thread,
      costNs,
      evidence,
      data: { call: m.labelOf(call), flow, left, signal, errno, result, linux: linuxDoes(signal, evidence) },
    });
  }

  return { "pal.call.abandon": abandon, "app.handler.enter": handleLate };
}

/** What Linux does, behind what the application saw. */
const INSTEAD: Readonly<Record<Data["linux"], (signal: number) => string>> = {
  interrupted: (signal) => `instead of -EINTR after ${signalName(signal)}`,
  restarted: (signal) => `after ${signalName(signal)}; on Linux the call starts again (SA_RESTART)`,
  "goes-on": (signal) =>
    signal === SIG.CONT
      ? "though no handler runs; on Linux the call goes on"
      : `after ${signalName(signal)}, which no handler takes; on Linux the call goes on`,
};

const SGX: readonly StackName[] = ["graphene-sgx"];
const READ = "read: { from: pipe, bytes: 8 }";
const ALL = ["asked", "sent", "injected", "entered", "upcall", "handled", "abandoned", "answered", "seen"] as const;

/** SIGINT comes while main is in the last of its operations, or where `when` says. */
const interrupting = (operations: readonly string[], handler: string, when = `call: ${operations.length + 1}`): string => `
  main:
    - sigaction: { signal: SIGINT, handler: on-sigint }
    ${operations.map((operation) => `- ${operation}`).join("\n    ")}
  handlers:
    on-sigint:
      - ${handler}
  signals:
    - signal: SIGINT
      when: { thread: main, ${when} }
`;

/** SIGINT comes while main reads, SIGTERM where `when` says. */
const twoSignals = (handler: string, when: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: on-sigint }
    - sigaction: { signal: SIGTERM, handler: on-sigterm }
    - ${READ}
  handlers:
    on-sigint:
      - ${handler}
    on-sigterm:
      - compute: 1us
  signals:
    - signal: SIGINT
      when: { thread: main, call: read }
    - signal: SIGTERM
      when: { thread: main, ${when} }
`;

/** A signal of another thread comes as the RESUME event. */
const resumed = (call: string): string => `
  main:
    - sigaction: { signal: SIGUSR1, handler: on-usr1 }
    - clone: sender
    - ${call}
  programs:
    sender:
      - nanosleep: 1ms
      - tgkill: { thread: main, signal: SIGUSR1 }
  handlers:
    on-usr1:
      - compute: 1us
`;

export const sgxInterruptedCodeLost = defineRule({
  id: "sgx-interrupted-code-lost",
  title: "an interrupted system call does not say so: its error code is lost in the enclave",
  severity: "high",
  layers: ["pal", "libos"],
  generations: ["graphene-2019"],
  what:
    "A signal comes while a thread is outside the enclave in an ocall. The untrusted PAL makes the ocall's result -13 (interrupted) and " +
    "re-enters. The enclave handles the event at once, and DkExceptionReturn abandons the PAL call with its frame: the PAL call returns 0, " +
    "no FAILURE(13) is raised, pal_errno keeps what it was.",
  why:
    "The program sees an old error of another call, or success with 0: a read looks like the end of the file, an accept like descriptor 0. " +
    "Programs close the connection, lose data, or loop.",
  recognise:
    "The rule looks for a PAL call left that way, with pal_errno as at its entry, inside a system call that answers with -PAL_ERRNO and " +
    "returns that old error instead of -EINTR.",
  ignore: [
    {
      text: "a RESUME event while the thread is in DkObjectsWaitAny: the code survives",
      nearMiss: {
        name: "RESUME in a futex wait",
        scenario: resumed("futex-wait: { on: word, timeout: 1s }"),
        stacks: SGX,
        reaches: ["pal.event.inject", "_DkHandleExternalEvent: return at once: the code survives, no upcall", "app.handler.enter"],
      },
    },
    {
      text: "an event outside any PAL call: nothing is abandoned",
      nearMiss: {
        name: "a signal in the ocall of an emulated CPUID",
        scenario: interrupting(["fault: cpuid", "getpid"], "getpid", 'site: "ocall_cpuid: cpuid"'),
        stacks: SGX,
        reaches: ["pal.event.inject", "app.handler.enter"],
      },
    },
    {
      text: "pal_errno was 13 already: the answer is right by luck",
      nearMiss: {
        name: "two interrupted calls, of which the first set pal_errno",
        scenario: interrupting(["read: { takes: 1us, result: -4 }", READ], "compute: 1us"),
        stacks: SGX,
        reaches: ["pal.event.inject", "pal.call.abandon"],
      },
    },
    {
      text: "a handler raised a FAILURE before the LibOS asked for pal_errno: the answer is that one, another bug (pal-errno-clobbered-by-handler)",
      nearMiss: {
        name: "a read of the handler fails",
        scenario: interrupting([READ], "read: { takes: 1us, result: -11 }"),
        stacks: SGX,
        reaches: ["pal.event.inject", "pal.call.abandon"],
      },
    },
    {
      text: "poll, epoll_wait, wait4, semop, msgrcv, pause, locks: they never ask pal_errno, so they go wrong with the code too (reference 3.2)",
      nearMiss: {
        name: "an interrupted poll",
        scenario: interrupting(["poll: { on: [pipe], timeout: 1s }"], "compute: 1us"),
        stacks: SGX,
        reaches: ["pal.event.inject", "pal.call.abandon"],
      },
    },
  ],
  remedy:
    "Raise FAILURE(PAL_ERROR_INTERRUPTED) before the upcall (Graphene 8bf06ca6c, 2019-04-25); later the frame is not left at all (021934926).",
  fix: "sgx-interrupted-code-lost",
  cost: "from the injected code to the upcall that does not tell of it: the host's signal return and an enclave entry",
  source: "reference 3.1; flows of 2.3 and 2.6",
  run,
  report: {
    title: ({ call, result, signal, linux }) => `${call || "a system call"} returns ${resultText(result)} ${INSTEAD[linux](signal)}`,
    same: ({ flow, signal, result, linux }) => [flow, signal, result, ...(linux === "interrupted" ? [] : [linux])],
    turn: ["abandoned"],
    captions: {
      asked: ({ errno }) => `the LibOS calls the PAL; pal_errno is ${errno}`,
      sent: () => "the host makes the signal pending",
      injected: () => "the ocall's result becomes -PAL_ERROR_INTERRUPTED, and an event comes with it",
      entered: () => `back in the enclave; the result in RDI is ${-PAL_ERROR.INTERRUPTED} (-PAL_ERROR_INTERRUPTED)`,
      upcall: () => "the event is handled first: nobody has looked at the result yet",
      handled: () => "the application's handler runs",
      abandoned: ({ left, errno }) =>
        `in ${left || "the PAL"} the PAL call is left as if it had returned 0, and pal_errno is still ${errno}: nobody tells the LibOS "interrupted"`,
      "handled-late": () => "the application's handler runs, put off until a lock was released",
      answered: ({ errno, result }) => `the LibOS asks pal_errno, which is ${errno}, and returns ${resultText(result)}`,
      seen: ({ result, signal, linux }) =>
        `the application sees ${result === 0 ? "0, which looks like success or the end of the data," : resultText(result)} ${linux === "interrupted" ? "instead of -EINTR" : INSTEAD[linux](signal)}`,
    },
  },
  invalid: [
    {
      name: "Ctrl-C in a read",
      scenario: "lost-interrupted-error",
      stacks: SGX,
      found: [{ title: "read(pipe, 64) returns 0 instead of -EINTR after SIGINT", evidence: ALL }],
    },
    {
      name: "an older error of another call",
      scenario: "w1-read-stale",
      stacks: SGX,
      found: [{ title: "read(pipe, 64) returns -EAGAIN instead of -EINTR after SIGINT", evidence: ALL }],
    },
    {
      name: "a RESUME event in a PAL call that is not DkObjectsWaitAny, named after the signal that was handled",
      scenario: resumed(READ),
      stacks: SGX,
      found: [{ title: "read(pipe, 8) returns 0 instead of -EINTR after SIGUSR1", evidence: ALL }],
    },
    {
      name: "a handler that a lock of the call puts off until the PAL call is gone",
      scenario: resumed("accept: { on: listener }"),
      stacks: SGX,
      found: [
        {
          title: "accept(listener) returns 0 instead of -EINTR after SIGUSR1",
          evidence: ["asked", "sent", "injected", "entered", "upcall", "abandoned", "handled-late", "answered", "seen"],
        },
      ],
    },
    {
      name: "SA_RESTART: Linux starts the call again",
      scenario: "w11-restart",
      stacks: SGX,
      found: [
        {
          title: "read(pipe, 16) returns 0 after SIGINT; on Linux the call starts again (SA_RESTART)",
          evidence: ["asked", "sent", "injected", "entered", "upcall", "handled", "abandoned", "answered", "seen"],
        },
      ],
    },
    {
      name: "the end of a child that nobody handles: Linux goes on",
      scenario: `
        main:
          - fork: child
          - read: { from: pipe, bytes: 1 }
        programs:
          child:
            - nanosleep: 5ms
        arrivals:
          - to: pipe
            when: { at: 50ms }
      `,
      stacks: SGX,
      found: [
        {
          title: "read(pipe, 1) returns -ENOSYS though no handler runs; on Linux the call goes on",
          evidence: ["asked", "sent", "injected", "entered", "upcall", "abandoned", "answered", "seen"],
        },
      ],
    },
    {
      name: "the interrupted call, when its handler makes calls of its own",
      scenario: interrupting([READ], "write: { takes: 1us, result: 3 }"),
      stacks: SGX,
      found: [{ title: "read(pipe, 8) returns 0 instead of -EINTR after SIGINT", evidence: ALL }],
    },
    {
      name: "the call of the handler and the call under it, when both are interrupted",
      scenario: `
        main:
          - sigaction: { signal: SIGINT, handler: on-sigint }
          - sigaction: { signal: SIGTERM, handler: on-sigterm }
          - ${READ}
        handlers:
          on-sigint:
            - accept: { on: listener }
          on-sigterm:
            - compute: 1us
        signals:
          - signal: SIGINT
            when: { thread: main, call: read }
          - signal: SIGTERM
            when: { at: 20ms }
      `,
      stacks: SGX,
      // Without it the assertion at the end of accept ends the process.
      fixes: ["signal-delayed-breaks-preempt-assert"],
      found: [
        { title: "read(pipe, 8) returns 0 instead of -EINTR after SIGINT", evidence: ALL },
        // The handler of SIGTERM waits for the end of that of SIGINT, and is no part of what happened to accept.
        { title: "accept(listener) returns 0 instead of -EINTR after SIGTERM", evidence: ALL.filter((id) => id !== "handled") },
      ],
    },
    {
      name: "the interrupted call, when its handler is interrupted in an ocall outside any PAL call",
      scenario: twoSignals("fault: cpuid", 'site: "ocall_cpuid: cpuid"'),
      stacks: SGX,
      found: [{ title: "read(pipe, 8) returns 0 instead of -EINTR after SIGINT", evidence: ALL }],
    },
    {
      // The two entries before are of the ocalls that start the IPC helper.
      name: "the event that reached the enclave, when it had overwritten another",
      scenario: twoSignals("compute: 1us", 'site: "sgx_entry_return: EENTER(RBX, RCX)", nth: 3'),
      stacks: SGX,
      found: [{ title: "read(pipe, 8) returns 0 instead of -EINTR after SIGTERM", evidence: ALL }],
    },
  ],
});
