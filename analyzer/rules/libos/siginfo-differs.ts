/** What a siginfo says, where Linux says something else: errata B3, gramine-today.md 5 and 9.4. */

import { isSynchronous, SIG, signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { argsOf, callOf, calls, createRing, GRAMINE, GRAPHENE, isFromOutside, isProtectionFault } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly field: "si_code" | "si_pid" | "si_addr";
  readonly read: number;
  readonly linux: string;
}
type Id = "cause" | "handled" | "read";

interface Fault {
  readonly seq: number;
  readonly signal: number;
  readonly illegal: boolean;
  /** The si_code that Linux writes for it. */
  readonly code: number;
  readonly address: number;
}

/** si_code of siginfo.h. */
const [USER, KERNEL, TKILL, ILLOPN, MAPERR, ACCERR] = [0, 128, -6, 2, 1, 2] as const;
/** How a code is told. */
const CODES: Readonly<Record<number, string>> = { 128: "128 (SI_KERNEL)" };
/** `fault` of app.fault, and `which` of app.siginfo.more. */
const [MEMORY, ILLEGAL, ADDRESS] = [2, 3, 2] as const;

/** What Linux writes for the fault (arch/x86/kernel/traps.c, arch/x86/mm/fault.c); NONE: it is not looked at. */
function codeOf(fault: number, signal: number, what: string): number {
  // In an enclave the host calls it an illegal instruction.
  if (isProtectionFault(what)) return KERNEL;
  if (fault === ILLEGAL && signal === SIG.ILL) return ILLOPN;
  if (signal !== SIG.SEGV) return NONE;
  if (fault !== MEMORY) return NONE;
  return /^(?:memory$|stack\b)/.test(what) ? MAPERR : ACCERR;
}
const FROM_CHILD = 1;
const FROM_TIMER = 2;

const sends = calls("kill", "tgkill", "tkill");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const fits = (fault: Fault, signal: number): boolean =>
    fault.signal === signal || (fault.code === KERNEL && fault.signal === SIG.ILL && signal === SIG.SEGV);
  const codeText = ({ code, illegal }: Fault): string =>
    illegal ? "2 (ILL_ILLOPN)" : (CODES[code] ?? `${code} (${code === MAPERR ? "SEGV_MAPERR" : "SEGV_ACCERR"})`);

  /** By a signal's id: where it was queued, by which process (kill and its like), or by a thread of the LibOS for what. */
  const queued = createRing();
  const senders = createRing();
  const origins = createRing();
  const faults = m.notesOnThreads<Fault>();
  /** Signals of faults that somebody has sent, by id. */
  const forged = createRing();

  function append(): void {
    queued.set(m.extra, m.seq);
    if (!m.isInternal()) {
      if (sends(callOf(m))) senders.set(m.extra, m.pid());
    } else if (m.signal === SIG.ALRM) origins.set(m.extra, FROM_TIMER);
    else if (m.signal === SIG.CHLD) origins.set(m.extra, FROM_CHILD);
  }

  function told(cause: number, handler: number, data: Data): void {
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        ...(cause === NONE ? [] : [{ id: "cause" as const, seq: cause }]),
        { id: "handled", seq: m.seqOf(handler) },
        { id: "read", seq: m.seq },
      ],
      data,
    });
  }

  /** The fault whose handler this is. */
  const faultOf = (handler: number): Fault | null => {
    const fault = faults.get(m.slot);
    return fault !== null && fits(fault, m.signalOf(handler)) && fault.seq < m.seqOf(handler) ? fault : null;
  };

  function info(): void {
    const handler = m.open(SCOPE.HANDLER);
    // A siginfo of another signal altogether is no siginfo of this one: siginfo-incomplete.
    if (handler === NONE || !m.hasLibos || m.signal !== m.signalOf(handler)) return;
    const [signal, id] = [m.signal, m.extraOfRow(handler)];
    const code = (linux: string, cause: number): void => told(cause, handler, { signal, field: "si_code", read: m.value, linux });
    const fault = faultOf(handler);
    if (fault !== null && fault.code !== NONE && m.value !== fault.code) return code(codeText(fault), fault.seq);
    if (forged.get(id) !== NONE && m.value !== USER) return code("0 (SI_USER)", forged.get(id));
    const origin = origins.get(id);
    if (origin === FROM_TIMER && m.value !== KERNEL) return code("128 (SI_KERNEL)", queued.get(id));
    if (origin === FROM_CHILD && !(m.value >= 1 && m.value <= 6)) return code("1 to 6 (CLD_EXITED and its like)", queued.get(id));
    const call = m.open(SCOPE.CALL);
    const toItself = call !== NONE && argsOf("tgkill", m.labelOf(call)) === `self, ${signalName(signal)})`;
    if (toItself && queued.get(id) === NONE && m.value !== TKILL) return code("-6 (SI_TKILL)", m.seqOf(call));
    const sender = senders.get(id);
    if (sender !== NONE && m.extra !== sender)
      told(queued.get(id), handler, { signal, field: "si_pid", read: m.extra, linux: String(sender) });
  }

  function more(): void {
    const handler = m.open(SCOPE.HANDLER);
    const fault = handler === NONE || !m.hasLibos ? null : faultOf(handler);
    // Of a general protection fault Linux tells no address, and its code says so.
    if (fault === null || fault.illegal || fault.code === KERNEL || (m.extra === ADDRESS && m.value === fault.address)) return;
    told(fault.seq, handler, { signal: fault.signal, field: "si_addr", read: m.value, linux: String(fault.address) });
  }

  return {
    "app.fault"() {
      const code = codeOf(m.value, m.signal, m.text());
      faults.set(m.slot, { seq: m.seq, signal: m.signal, illegal: m.value === ILLEGAL && code === ILLOPN, code, address: m.extra });
    },
    "host.signal.generate"() {
      if (isSynchronous(m.signal) && isFromOutside(m)) forged.set(m.extra, m.seq);
    },
    "libos.signal.append": append,
    "app.siginfo": info,
    "app.siginfo.more": more,
  };
}

export const siginfoDiffers = defineRule({
  id: "siginfo-differs",
  title: "a handler reads a code, a sender or an address that Linux would not have written",
  severity: "low",
  layers: ["libos", "pal"],
  generations: ["graphene-2019", "gramine"],
  what:
    "The LibOS makes the siginfo itself. SIGALRM of a timer says SI_USER with the own pid where Linux says SI_KERNEL; the end of a child has no CLD_ code; " +
    "an illegal instruction is ILL_ILLOPC where Linux says ILL_ILLOPN for ud2; a general protection fault says SEGV_MAPERR where Linux says SI_KERNEL; " +
    "a SIGSEGV that somebody sends looks like a fault; under SGX the address of a fault is hidden from the PAL; si_pid is the id of a thread.",
  why: "Programs that ask si_code whether a signal is a timer's, a child's or a person's go the wrong way. A handler that repairs a fault needs si_addr.",
  recognise:
    "The rule looks at what handlers read: si_code after a timer, a child's end, tgkill to itself, an illegal instruction and a memory fault, and after a signal of a fault that was sent; si_pid after kill; si_addr after a fault.",
  ignore: [
    {
      text: "kill() is SI_USER with the sender's pid",
      nearMiss: {
        name: "kill of the own process",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - kill: { process: self, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: [...GRAPHENE, ...GRAMINE],
        reaches: ["app.siginfo"],
      },
    },
    {
      text: "a division says its address on the Linux PAL",
      nearMiss: {
        name: "a division by zero",
        scenario: `
          main:
            - sigaction: { signal: SIGFPE, handler: skips }
            - fault: { what: divide }
          handlers:
            skips:
              - skip-fault
        `,
        stacks: ["gramine-linux"],
        reaches: ["app.siginfo.more", "app.fault"],
      },
    },
  ],
  remedy: "Fill in what the kernel fills in; the address under SGX needs EXINFO.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2, errata B3; gramine today 9.4, 5.5, corrections 4.4.5",
  run,
  report: {
    title: ({ signal, field, read, linux }) => `the handler of ${signalName(signal)} reads ${field} ${read}; on Linux it is ${linux}`,
    same: ({ signal, field }) => [signal, field],
    turn: ["read"],
    captions: {
      cause: ({ signal }) => `what raises ${signalName(signal)}`,
      handled: ({ signal }) => `the handler of ${signalName(signal)} runs`,
      read: ({ field, read, linux }) => `it reads ${field}: ${read}; on Linux ${linux}`,
    },
  },
  invalid: [
    {
      name: "a timer",
      scenario: `
        main:
          - sigaction: { signal: SIGALRM, handler: on-alrm }
          - setitimer: { value: 5ms }
          - nanosleep: 20ms
        handlers:
          on-alrm:
            - compute: 1us
      `,
      stacks: GRAMINE,
      found: [{ title: "the handler of SIGALRM reads si_code 0; on Linux it is 128 (SI_KERNEL)", evidence: ["cause", "handled", "read"] }],
    },
    {
      name: "an illegal instruction",
      scenario: `
        main:
          - sigaction: { signal: SIGILL, handler: skips }
          - fault: { what: illegal }
        handlers:
          skips:
            - skip-fault
      `,
      stacks: [...GRAMINE, "graphene-linux", "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "the handler of SIGILL reads si_code 1; on Linux it is 2 (ILL_ILLOPN)", evidence: ["cause", "handled", "read"] }],
    },
    {
      name: "an instruction that only the kernel may execute",
      scenario: `
        main:
          - sigaction: { signal: SIGSEGV, handler: skips }
          - fault: { what: protection }
        handlers:
          skips:
            - skip-fault
      `,
      stacks: ["graphene-linux", "graphene-pr347", "graphene-pr1218", ...GRAMINE],
      found: [{ title: "the handler of SIGSEGV reads si_code 1; on Linux it is 128 (SI_KERNEL)", evidence: ["cause", "handled", "read"] }],
    },
    {
      name: "a SIGFPE that somebody sends",
      scenario: `
        main:
          - sigaction: { signal: SIGFPE, handler: h }
          - compute: 10ms
        handlers:
          h:
            - compute: 1us
        signals:
          - { signal: SIGFPE, when: { at: 2ms } }
      `,
      stacks: ["graphene-linux", "graphene-sgx", "graphene-pr347", "graphene-pr1218", "gramine-linux"],
      found: [{ title: "the handler of SIGFPE reads si_code 1; on Linux it is 0 (SI_USER)", evidence: ["cause", "handled", "read"] }],
    },
    {
      name: "a division under SGX",
      scenario: `
        main:
          - sigaction: { signal: SIGFPE, handler: skips }
          - fault: { what: divide }
        handlers:
          skips:
            - skip-fault
      `,
      stacks: ["gramine-sgx", "graphene-sgx"],
      found: [{ title: "the handler of SIGFPE reads si_addr 0; on Linux it is 4096", evidence: ["cause", "handled", "read"] }],
    },
  ],
});
