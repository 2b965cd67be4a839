/** deliver_signal_on_sysret: a handler before the system call is back in the application (shim_signal.c at 32a89d1d2). */

import { running } from "../../cpu.ts";
import { writeFaults } from "../../faulting.ts";
import type { Flow } from "../../flow.ts";
import { fetchNext, SCAN_ALL, type Scan } from "../../libos/deliver.ts";
import { LIBOS } from "../../libos/flows.ts";
import { fetch } from "../../libos/ring.ts";
import { KIND } from "../../transition.ts";
import { type Found, PR } from "../graphene-pr347/flows.ts";
import { build, laidDown } from "../graphene-pr347/frame.ts";
import { giveBack, IGNORED, isDefault, NO_DEFAULT, NOTHING_FOUND } from "../graphene-pr347/handler.ts";
import { endIgnored, GUARD, hasAlt, isIgnored } from "./deliver.ts";
import { type Cpu, flow } from "./flow.ts";
import { PR1218 } from "./flows.ts";
import { NO_REGS } from "./rip.ts";

interface Search extends Scan {
  handler: number;
  restorer: number;
}

/** Another one of the number that is ignored: it ends with the first. */
function drained(c: Cpu, v: Search): boolean {
  const entry = fetch(c.t, v.found);
  if (!entry) return true;
  c.signal = v.found;
  c.row(KIND["libos.signal.ignore"], v.handler === IGNORED ? 1 : 0, entry.id);
  return false;
}

/** One walk upward over the numbers from 1 to 31 that the mask lets through. The caller has the fields of Found. */
const getSignal = flow<Search>(PR1218.get_signal_to_deliver, "libos", "pr1218 6, 7", (s) => [
  s.own({ ...SCAN_ALL, handler: NO_DEFAULT, restorer: 0 }),
  s.at("next"),
  s.test("has_signal == 0?", (c) => c.t.libos.hasSignal === 0, "none"),
  s.act("the next that the mask lets through, upward", fetchNext, "libos.signal.fetch"),
  s.test("none?", (_, v) => v.found === 0, "none"),
  s.call("get_sighandler(thread, sig, &handler, &restorer)", PR1218.get_sighandler, (_, v) => ({ signal: v.found, id: v.id })),
  s.test("handler != NULL?", (_, v) => !isIgnored(v), "found"),
  s.act("ignored: drain the queue", endIgnored, "libos.signal.ignore"),
  s.at("free"),
  s.call("free(signal)", LIBOS.free),
  s.test("no other one of this number?", drained, "upward", ["branch", "libos.signal.ignore"]),
  s.jump("free", "free it"),
  s.at("upward"),
  s.act("sig + 1", (_, v) => {
    v.at = v.found + 1;
  }),
  s.jump("next", "next"),
  s.at("found"),
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

/** shim_regs: the frame comes to lie below the stub, and the handler is where the stub returns to. Nobody asks whether there is room. */
function deliverHere(c: Cpu, v: Sysret): void {
  const { app } = c.t;
  const alt = hasAlt(c);
  c.signal = v.found;
  c.row(KIND["libos.sigframe"], alt ? 1 : 0, v.id);
  if (app.stackFull && !alt) return writeFaults(c, GUARD, "the signal frame does not fit on the stack");
  const { found, id, info, handler, restorer, ret } = v;
  const full = app.stackFull;
  const [frame, entered] = build({
    signal: found,
    id,
    info,
    handler,
    restorer,
    rax: ret,
    vectors: app.vectors,
    mask: [0, 0],
    alt,
    full,
  });
  const stack = running(c.t);
  stack.splice(stack.length - 2, 0, laidDown(c, frame), laidDown(c, entered));
  if (alt) app.stackFull = false;
}

const onSysret = flow<Sysret>(PR.deliver_signal_on_sysret, "libos", "pr1218 6", (s) => [
  s.own({ ...NOTHING_FOUND }),
  s.act("clear SHIM_FLAG_MAY_DELIVER_SIGNAL", (c) => {
    c.t.libos.sigpending = false;
  }),
  s.call("get_signal_to_deliver(&deliver)", PR1218.get_signal_to_deliver),
  s.test("false?", (_, v) => v.found === 0, "none"),
  s.test("no default action?", (c, v) => !isDefault(c, v), "frame"),
  s.call("handler(sig, &signal->info): it does not return", PR1218.sighandler_kill, (_, v) => ({
    signal: v.found,
    id: v.id,
    event: 0,
    info: v.info,
  })),
  s.at("frame"),
  s.act(
    "get_signal_stack(regs->rsp)",
    (c) => {
      if (!c.t.libos.regs) writeFaults(c, 0, NO_REGS);
    },
    ["step", "app.fault", "host.signal.default"],
  ),
  s.act("sigframe: restorer, ucontext with the result, siginfo, fpstate; regs: RIP := handler, RSP := sigframe", deliverHere, [
    "libos.sigframe",
    "app.fault",
    "host.signal.default",
  ]),
  s.call("free(signal)", LIBOS.free),
  s.act("xstate_reset()", (c) => {
    c.t.app.vectors = 0;
  }),
  s.ret("return 0", (c) => {
    c.t.rax = 0;
  }),
  s.at("none"),
  s.ret("return syscall_ret", (c, v) => {
    c.t.rax = v.ret;
    c.value = v.ret;
  }),
]);

export const sysretFlows: readonly Flow[] = [getSignal, onSysret];
