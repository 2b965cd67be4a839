/** A handler has returned, and the mask is not what it was. */

import { signalName, signalNumber, signalsIn } from "../../../engine/index.ts";
import { HOW, MASK, NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";

interface Data {
  readonly host: boolean;
  readonly more: string;
  readonly less: string;
}
type Id = "framed" | "changed" | "returned" | "wrong";

/** The mask of a thread outside of handlers, and who changed it inside of one. */
interface Mask {
  readonly low: number;
  readonly high: number;
  readonly changed: number;
  readonly returned: number;
}

/** A mask of the host, as two words. */
interface HostMask {
  readonly low: number;
  readonly high: number;
}

/** The mask before the arrow of "mask {SIGUSR2} -> {SIGTERM SIGUSR2}"; an empty one when the text is no such thing. */
function maskBefore(text: string): HostMask {
  const words: [number, number] = [0, 0];
  for (const name of /^mask \{([^}]*)\} -> /.exec(text)?.[1]?.split(" ") ?? []) {
    const signal = signalNumber(name);
    if (signal > 0) words[signal <= 32 ? 0 : 1] |= 1 << ((signal - 1) & 31);
  }
  return { low: words[0], high: words[1] };
}

const names = (low: number, high: number): string =>
  signalsIn([low >>> 0, high >>> 0])
    .map(signalName)
    .join(" ");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const outside = m.notesOnThreads<Mask>();
  const leaked = m.notesOnThreads<number>();
  const frames = m.notesOnThreads<number>();
  /** The mask under the thread's first frame: what the PAL blocks for good is no leak. */
  const under = m.notesOnThreads<HostMask>();

  /** A mask that is set outside of any handler is the one that counts; one set inside is undone when the handler returns. */
  function set(): void {
    const before = outside.get(m.slot);
    if (m.open(SCOPE.HANDLER) === NONE) outside.set(m.slot, { low: m.value | 0, high: m.extra | 0, changed: NONE, returned: NONE });
    else outside.set(m.slot, { low: 0, high: 0, returned: NONE, ...before, changed: m.seq });
  }

  function left(): void {
    const mask = outside.get(m.slot);
    if (mask === null || mask.changed === NONE || m.around(m.closed) !== NONE) return;
    // siglongjmp puts back what sigsetjmp kept.
    if (m.how === HOW.RETURNED) outside.set(m.slot, { ...mask, returned: m.seq });
    else outside.set(m.slot, { ...mask, changed: NONE });
  }

  function inApplication(): void {
    if (m.open(SCOPE.HANDLER) !== NONE) return;
    const mask = outside.get(m.slot);
    if (mask !== null && mask.changed !== NONE && mask.returned !== NONE) settle(mask);
    if (m.hasLibos) checkHost();
  }

  function settle(mask: Mask): void {
    const now = m.maskOf(MASK.LIBOS);
    if (now === null) return;
    outside.set(m.slot, { low: now[0] | 0, high: now[1] | 0, changed: NONE, returned: NONE });
    const [more, less] = [names(now[0] & ~mask.low, now[1] & ~mask.high), names(mask.low & ~now[0], mask.high & ~now[1])];
    if (more === "" && less === "") return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "changed", seq: mask.changed },
        { id: "returned", seq: mask.returned },
        { id: "wrong", seq: m.seq },
      ],
      data: { host: false, more, less },
    });
  }

  /** The host's mask of a thread that is in no handler of the host: a LibOS wants its events. */
  function checkHost(): void {
    if (m.open(SCOPE.HOST_FRAME) !== NONE || m.isMaskEmpty(MASK.HOST) !== false || frames.get(m.slot) === null) return;
    const now = m.maskOf(MASK.HOST);
    if (now === null || leaked.get(m.slot) !== null) return;
    const meant = under.get(m.slot);
    const [low, high] = [now[0] & ~(meant?.low ?? 0), now[1] & ~(meant?.high ?? 0)];
    if (low === 0 && high === 0) return;
    leaked.set(m.slot, m.seq);
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "framed", seq: frames.get(m.slot) ?? m.seq },
        { id: "wrong", seq: m.seq },
      ],
      data: { host: true, more: names(low, high), less: "" },
    });
  }

  function framed(): void {
    frames.set(m.slot, m.seq);
    const frame = m.open(SCOPE.HOST_FRAME);
    if (frame !== NONE && m.around(frame) === NONE && under.get(m.slot) === null) under.set(m.slot, maskBefore(m.text()));
  }

  return {
    "libos.mask": set,
    "handler.end": left,
    "host.signal.deliver": framed,
    "host.sigprocmask"() {
      if (m.open(SCOPE.HOST_FRAME) === NONE) under.set(m.slot, { low: m.value, high: m.extra });
    },
    "app.call": inApplication,
    "app.return": inApplication,
  };
}

export const maskImbalance = defineRule({
  id: "mask-imbalance",
  title: "a signal mask is not put back after a handler",
  severity: "high",
  layers: ["libos", "host"],
  generations: ["any"],
  what:
    "A handler has returned, and the thread's mask is another than before: what the handler blocked stays blocked, or a frame of the host was " +
    "left without rt_sigreturn and what the kernel blocked for it stays blocked.",
  why: "From then on signals do not come that the program waits for; in the host's mask it is SIGCONT, by which a LibOS wakes its threads.",
  recognise:
    "The rule compares the LibOS's mask outside of handlers before and after one; and, under a LibOS, looks for a host mask that blocks " +
    "something while the application runs and no host handler does.",
  ignore: [
    {
      text: "the mask is changed outside of handlers: that is what the program asked for",
      nearMiss: {
        name: "sigprocmask between two handlers",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - tgkill: { thread: self, signal: SIGUSR1 }
            - sigprocmask: { how: block, signals: [SIGUSR2] }
            - tgkill: { thread: self, signal: SIGUSR1 }
            - getpid
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: ["graphene-linux", "graphene-sgx"],
        reaches: ["libos.mask", "app.handler.return"],
      },
    },
    {
      text: "sigsuspend lends a mask and puts the old one back",
      nearMiss: {
        name: "a handler inside sigsuspend",
        scenario: "sigsuspend-flag",
        stacks: ["graphene-linux", "graphene-sgx"],
        reaches: ["libos.mask", "app.handler.return"],
      },
    },
    {
      text: "the PAL blocks a signal for good: the frame goes back to that mask",
      nearMiss: {
        name: "SIGUSR2, which the SGX PAL of Gramine blocks in all its threads",
        scenario: "alarm",
        stacks: ["gramine-sgx"],
        reaches: ["host.signal.deliver", "host.sigreturn"],
      },
    },
  ],
  remedy: "Keep the mask in the handler's frame and put it back in rt_sigreturn (Graphene c24bddd5a, 2021-02-05).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 (sa-mask-and-flags-ignored, handler-longjmp-preempt-leak), 3.4 (sgx-host-mask-leak), sigaction(2)",
  run,
  report: {
    title: ({ host, more, less }) =>
      host
        ? `the host's mask still blocks ${more} while the application runs`
        : `a handler has returned, and the mask ${[more && `blocks ${more}`, less && `no longer blocks ${less}`].filter((part) => part !== "").join(" and ")}`,
    same: ({ host, more, less }) => [host ? 1 : 0, more, less],
    turn: ["wrong"],
    captions: {
      framed: () => "the kernel pushes a frame and blocks signals until it is taken off",
      changed: () => "the handler changes the mask",
      returned: () => "it returns: on Linux the mask from before comes back",
      wrong: ({ host, more, less }) =>
        host
          ? `the application runs, and ${more} is still blocked`
          : `${more || less}: ${more === "" ? "no longer blocked" : "still blocked"}`,
    },
  },
  invalid: [
    {
      name: "a handler that blocks a signal",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - tgkill: { thread: self, signal: SIGUSR1 }
          - getpid
        handlers:
          on-usr1:
            - sigprocmask: { how: block, signals: [SIGTERM] }
      `,
      stacks: ["graphene-linux", "graphene-sgx", "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "a handler has returned, and the mask blocks SIGTERM", evidence: ["changed", "returned", "wrong"] }],
    },
  ],
});
