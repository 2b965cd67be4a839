/** deliver_signal_on_sysret: a handler before the system call is back in the application (pr347.md c4, c5; shim_signal.c at 54d9f053c). */

import { running } from "../../cpu.ts";
import { faultAt } from "../../faulting.ts";
import type { Flow } from "../../flow.ts";
import { fetchNext, SCAN_ALL, type Scan } from "../../libos/deliver.ts";
import { NO_INFO } from "../../siginfo.ts";
import { emptySet } from "../../signals.ts";
import { KIND } from "../../transition.ts";
import { goOnAtNext } from "./chain.ts";
import { type Cpu, flow } from "./flow.ts";
import { type Found, PR } from "./flows.ts";
import { build, laidDown } from "./frame.ts";
import { callDefault, giveBack, IGNORED, NO_DEFAULT, NOTHING_FOUND } from "./handler.ts";

export interface SysretFixes {
  /** It gives up when it finds nothing. */
  readonly spins: boolean;
  /** The siginfo is written into the frame. */
  readonly siginfo: boolean;
  readonly defaultAction: boolean;
}

interface Search extends Scan {
  handler: number;
  restorer: number;
}

/** A signal that ends as nothing: it is not freed, and the search goes on. */
function endsAsNothing(c: Cpu, v: Search): boolean {
  if (v.handler !== IGNORED && v.handler !== NO_DEFAULT) return false;
  c.signal = v.found;
  c.row(KIND["libos.signal.ignore"], v.handler === IGNORED ? 1 : 0, v.id);
  return true;
}

/** The caller has the fields of Found. Numbers from 1 to 31 that the mask lets through. */
const getSignal = (fix: SysretFixes): Flow =>
  flow<Search>(PR.__get_signal_to_deliver, "libos", "pr347 c4, c8", (s) => [
    s.own({ ...SCAN_ALL, handler: NO_DEFAULT, restorer: 0 }),
    s.at("again"),
    s.test("has_signal == 0?", (c) => c.t.libos.hasSignal === 0, "none"),
    s.act(
      "the first that the mask lets through",
      (c, v) => {
        v.at = 1;
        fetchNext(c, v);
      },
      "libos.signal.fetch",
    ),
    s.test(fix.spins ? "none?" : "none: look again", (_, v) => v.found === 0, fix.spins ? "none" : "again"),
    s.call("get_signal_handler(thread, sig, &handler, &restorer)", PR.get_signal_handler, (_, v) => ({ signal: v.found, id: v.id })),
    s.test("SIG_IGN, or a default action that is none: look again", endsAsNothing, "again", ["branch", "libos.signal.ignore"]),
    s.ret("return true", (c, { found, id, info, handler, restorer }) => {
      giveBack(c, { found, id, info, handler, restorer });
      c.signal = found;
      c.value = 1;
    }),
    s.at("none"),
    s.ret("return false", (c) => giveBack(c, { ...NOTHING_FOUND })),
  ]);

interface Sysret extends Found {
  ret: number;
}

/**
 * The frame comes to lie between the stub and the code that made the call, and the handler's address where the stub returns to. The siginfo is
 * not written: what the handler reads is what the stack held.
 */
function deliverHere(c: Cpu, v: Sysret, fixed: boolean): void {
  const stack = running(c.t);
  let at = stack.length - 2;
  at += goOnAtNext(c, at);
  const info = fixed ? v.info : NO_INFO;
  const [frame, handler] = build({
    signal: v.found,
    id: v.id,
    info,
    handler: v.handler,
    restorer: v.restorer,
    rax: v.ret,
    vectors: c.t.app.vectors,
    mask: emptySet(),
  });
  stack.splice(at, 0, laidDown(c, frame), laidDown(c, handler));
  c.signal = v.found;
  c.row(KIND["libos.sigframe"], 0, v.id);
}

const onSysret = (fix: SysretFixes): Flow =>
  flow<Sysret>(PR.deliver_signal_on_sysret, "libos", "pr347 c4, c5, errata-2 section 3", (s) => [
    s.own({ ...NOTHING_FOUND }),
    s.act("clear SHIM_FLAG_SIGPENDING", (c) => {
      c.t.libos.sigpending = false;
    }),
    s.call("__get_signal_to_deliver(&deliver)", PR.__get_signal_to_deliver),
    s.test("false: tcb.context.syscall_nr := the result", (_, v) => v.found === 0, "none"),
    ...(fix.defaultAction ? callDefault(s) : []),
    s.act(
      "memcpy(regs, tcb.context.regs)",
      (c) => {
        // A handler that came in the stub's exit has made a call since, or was left by sigreturn: NULL.
        if (!c.t.libos.regs) faultAt(c, "memory", 0);
      },
      ["step", "app.fault"],
    ),
    s.act(
      `sigframe: restorer, ${fix.siginfo ? "siginfo, " : ""}ucontext with the result, fpstate; uc_sigmask := {}`,
      (c, v) => deliverHere(c, v, fix.siginfo),
      "libos.sigframe",
    ),
    s.ret("return true: rip := handler", (c) => {
      c.t.rax = 1;
      c.value = 1;
    }),
    s.at("none"),
    s.ret("return false", (c, v) => {
      c.t.libos.syscallNr = v.ret;
      c.t.rax = 0;
    }),
  ]);

export const sysretFlows = (fix: SysretFixes): Flow[] => [getSignal(fix), onSysret(fix)];
