/**
 * Stage two of an exception (gramine-today.md 4.4; pal_exception.c): in the thread's own context, on the signal stack. It checks what the host
 * says against what the processor says, calls the LibOS's upcall and restores the context.
 */

import { running } from "../../../../cpu.ts";
import { atFault } from "../../../../faulting.ts";
import { isVma, VECTOR, type Vma } from "../../../../faults.ts";
import type { Flow, Mark, Step } from "../../../../flow.ts";
import { exitArgs } from "../../../../host/calls.ts";
import type { Frame } from "../../../../state.ts";
import { KIND, WHY } from "../../../../transition.ts";
import { type SgxCpu as Cpu, sgxFlow as flow, type SgxSteps as Steps } from "../../flow.ts";
import { EVENT } from "../errors.ts";
import { PAL } from "../flows.ts";
import { callUpcall } from "../upcall.ts";
import { notifyAgain } from "./aex-notify.ts";
import { type Exception, palExceptionHandler, restoreSgxContext } from "./flows.ts";

export interface Options {
  /** sgx.insecure__allow_memfaults_without_exinfo. */
  readonly withoutExinfo: boolean;
  /** sgx.edmm_enable. */
  readonly edmm: boolean;
  /** sgx.experimental_enable_aex_notify. */
  readonly notify: boolean;
}

interface Handling extends Exception {
  /** #UD of an instruction for input or output, which is #GP outside an enclave. */
  synthetic: boolean;
  /** The address comes from EXINFO. */
  hasAddress: boolean;
  addr: number;
  inPal: boolean;
}

/** The function at the interrupted RIP. */
const interrupted = (c: Cpu, v: Exception): Frame | undefined => running(c.t)[v.depth - 1];

const isAsync = (event: number): boolean => event === EVENT.QUIT || event === EVENT.INTERRUPTED;

/** What the host has to report for a vector; 0: Gramine does not handle it. */
function expected(vector: number): number {
  if (vector === VECTOR.UD) return EVENT.ILLEGAL;
  if (vector === VECTOR.DE || vector === VECTOR.XM) return EVENT.ARITHMETIC_ERROR;
  return vector === VECTOR.PF || vector === VECTOR.GP || vector === VECTOR.AC ? EVENT.MEMFAULT : 0;
}

/** handle_ud does these itself: cpuid, rdtsc. `syscall` is the LibOS's. */
const isEmulated = ({ opcode }: Exception): boolean => opcode === "cpuid" || opcode === "rdtsc";
const isInput = ({ opcode }: Exception): boolean => opcode === "in" || opcode === "protection";

/** One line, and the process is over. */
const dies = (s: Steps<Handling>, mark: string, line: string): (Step | Mark)[] => [
  s.at(mark),
  s.act(`print "${line}"`, (c, v) => c.row(KIND["pal.event.lost"], v.event, v.id), "pal.event.lost"),
  s.call("_PalProcessExit(1)", PAL.PalProcessExit, () => exitArgs({ status: 1, group: true, how: 2, why: WHY.PAL })),
];

function inPal(c: Cpu, v: Exception): boolean {
  const frame = interrupted(c, v);
  return frame !== undefined && c.program.flows[frame.flow]?.text === "pal";
}

/** What g_mem_bkeep_get_vma_info_upcall would find. */
function vmaOf(c: Cpu, v: Exception): Vma {
  const frame = interrupted(c, v);
  return frame && atFault(c, frame) && isVma(frame.v.vma) ? frame.v.vma : "unmapped";
}

/** Steps 1 and 2: what may come together. */
const crossCheck = (s: Steps<Handling>, { withoutExinfo }: Options): (Step | Mark)[] => [
  s.test("EXITINFO.valid?", (_, v) => v.vector >= 0, "hardware"),
  s.test("no exception, and QUIT or INTERRUPTED", (_, v) => isAsync(v.event), "checked"),
  s.test("MEMFAULT, and sgx.insecure__allow_memfaults_without_exinfo?", (_, v) => v.event === EVENT.MEMFAULT && withoutExinfo, "checked"),
  ...dies(s, "malicious", "Host injected malicious signal"),

  s.at("hardware"),
  s.test(
    "a page fault, and QUIT or INTERRUPTED: the fault was the kernel's to resolve",
    (_, v) => v.vector === VECTOR.PF && isAsync(v.event),
    "benign",
  ),
  s.test("an exception that is not supported?", (_, v) => expected(v.vector) === 0, "unsupported"),
  s.test("does the host report what belongs to the vector?", (_, v) => expected(v.vector) !== v.event, "mismatch"),
  s.test("not #UD?", (_, v) => v.vector !== VECTOR.UD, "checked"),
  s.test("handle_ud: cpuid or rdtsc?", (_, v) => isEmulated(v), "emulate"),
  s.test("handle_ud: no input or output?", (_, v) => !isInput(v), "checked"),
  s.act("handle_ud: a synthetic MEMFAULT", (c, v) => {
    v.synthetic = true;
    v.event = EVENT.MEMFAULT;
    c.value = v.event;
  }),
  s.jump("checked", "go on"),
  s.at("benign"),
  s.act("EXITINFO is forgotten", (_, v) => {
    v.vector = VECTOR.NONE;
  }),
  s.at("checked"),
];

/** Step 7: pages that come when they are touched. A page whose rights fit is there already in the emulation. */
const lazyPages = (s: Steps<Handling>): (Step | Mark)[] => [
  s.test("no memory fault, or a synthetic one?", (_, v) => v.event !== EVENT.MEMFAULT || v.synthetic, "propagate"),
  s.test("a VMA at the address, and its rights do not fit?", (c, v) => !["unmapped", "file-end"].includes(vmaOf(c, v)), "propagate"),
  s.test("RIP in the PAL?", (_, v) => v.inPal, "in PAL"),
  s.at("propagate"),
];

const handler = (options: Options): Flow =>
  flow<Handling>(palExceptionHandler, "pal", "4.4", (s) => [
    s.own({ synthetic: false, hasAddress: false, addr: 0, inPal: false }),
    ...crossCheck(s, options),
    s.act("RIP in the PAL?", (c, v) => {
      v.inPal = inPal(c, v);
      c.value = v.inPal ? 1 : 0;
      c.extra = v.id;
    }),
    s.test(
      "in the PAL, and a fault that has no business there?",
      (_, v) => v.inPal && !isAsync(v.event) && !(options.edmm && v.event === EVENT.MEMFAULT && !v.synthetic),
      "in PAL",
    ),
    s.act("PAL_CONTEXT := the saved registers; err and cr2 := EXINFO", (_, v) => {
      v.hasAddress = !v.synthetic && (v.vector === VECTOR.PF || v.vector === VECTOR.GP);
    }),
    s.test(
      "a memory fault whose address nobody tells?",
      (_, v) => v.event === EVENT.MEMFAULT && !v.hasAddress && !v.synthetic && !options.withoutExinfo,
      "no address",
    ),
    s.act("addr", (c, v) => {
      v.addr = v.event === EVENT.ILLEGAL ? addressOf(interrupted(c, v)) : v.event === EVENT.MEMFAULT && v.hasAddress ? v.maddr : 0;
      c.value = v.addr;
    }),
    ...(options.edmm ? lazyPages(s) : []),
    s.test("no upcall registered?", (c, v) => c.process(c.t).pal.upcalls[v.event] !== true, "none"),
    s.callDynamic("upcall(RIP in the PAL, addr, context)", callUpcall, "libos.upcall.enter"),
    s.jump("restore", "restore the context"),
    s.at("none"),
    s.act("no upcall: the event ends here", (c, v) => c.row(KIND["pal.event.lost"], v.event, v.id), "pal.event.lost"),
    s.jump("restore", "restore the context"),
    s.at("emulate"),
    s.act(
      "emulate the instruction; RIP past it",
      (c, v) => {
        v.skip = true;
        c.row(KIND["pal.event.lost"], v.event, v.id);
      },
      "pal.event.lost",
    ),
    s.at("restore"),
    options.notify
      ? s.act("restore_sgx_context: SSA[0].AEXNOTIFY := 1, unless the context is on the signal stack", (c, v) => notifyAgain(c, v.depth))
      : null,
    s.call(
      "_restore_sgx_context(context)",
      restoreSgxContext,
      (_, { depth, rax, restart, skip, vectors, full, built, rdi, rsi, carried }) => ({
        depth,
        rax,
        restart,
        skip,
        vectors,
        full,
        built,
        rdi,
        rsi,
        carried,
      }),
    ),
    ...dies(s, "mismatch", "Host reported mismatching signal"),
    ...dies(s, "unsupported", "Handling ... exceptions is currently unsupported by Gramine"),
    ...dies(s, "in PAL", "Unexpected ... occurred inside PAL"),
    ...dies(s, "no address", "Tried to handle a memory fault with no faulting address reported by SGX"),
  ]);

/** The address that a scenario gives to the instruction. */
const addressOf = (frame: Frame | undefined): number => (typeof frame?.v.address === "number" ? frame.v.address : 0);

export const exceptionFlows = (options: Options): Flow[] => [handler(options)];
