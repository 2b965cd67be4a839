/**
 * Frames on the application's stack: ours has the interrupted registers, and lies below what was interrupted; above it begins the handler, which
 * returns to the restorer (pr347.md; __setup_sig_frame, deliver_signal_on_sysret in shim_signal.c at 54d9f053c).
 */

import { newFrame } from "../../control.ts";
import { faultAt } from "../../faulting.ts";
import type { Flow } from "../../flow.ts";
import type { Entered } from "../../host/flows.ts";
import { contextOf } from "../../libos/handle-one.ts";
import type { SigInfo } from "../../siginfo.ts";
import type { SignalSet } from "../../signals.ts";
import { copyOf, extended, type Frame, type Locals } from "../../state.ts";
import { KIND } from "../../transition.ts";
import { undefinedBehaviour } from "../../undefined.ts";
import { type Cpu, flow } from "./flow.ts";
import { addressZero, type OneSignal, PR, type UserFrame } from "./flows.ts";
import { hasContext, kernelFrame } from "./rip.ts";

interface ToBuild {
  readonly signal: number;
  readonly id: number;
  readonly info: SigInfo;
  readonly handler: number;
  readonly restorer: number;
  readonly rax: number;
  readonly vectors: number;
  readonly mask: SignalSet;
  /** It comes to lie on the alternate stack. */
  readonly alt?: boolean;
  /** The stack that was in use has no room left. */
  readonly full?: boolean;
}

/** The handler as it is entered: what it is told is in the frame. */
export const handlerEntered = ({ signal, id, info, handler }: Pick<ToBuild, "signal" | "id" | "info" | "handler">): Entered => ({
  flow: handler,
  v: { signal, id, event: 0, info },
});

/** The frame, and the handler above it. */
export function build(given: ToBuild): [frame: Entered, handler: Entered] {
  const { signal, id, info, rax, vectors, mask } = given;
  const frame: UserFrame = {
    signal,
    id,
    info,
    mask,
    rax,
    restart: false,
    skip: false,
    alt: given.alt ?? false,
    full: given.full ?? false,
    vectors,
  };
  return [{ flow: given.restorer, v: frame as UserFrame & Locals }, handlerEntered(given)];
}

export const laidDown = (c: Cpu, { flow: number, v }: Entered): Frame => newFrame(c.program, number, { ...v });

/** What the host's sigreturn takes back: the handler instead of what was interrupted. Floating point starts anew: no fpregs. */
function redirect(c: Cpu, v: OneSignal): void {
  const there = kernelFrame(c);
  if (!there) return;
  const { uc } = there;
  uc.built = build(extended(copyOf(v), { rax: uc.rax, vectors: uc.vectors, mask: uc.mask }));
  uc.rax = 0;
  uc.vectors = 0;
  c.signal = v.signal;
  c.row(KIND["libos.sigframe"], 0, v.id);
}

const setup = flow(PR.__setup_sig_frame, "libos", "pr347 c1, errata-2 section 3", (s) => [
  s.act(
    "sp := event->uc, RSP - 128",
    (c) => {
      // event->uc is NULL: RSP is a field of it.
      if (!hasContext(c)) faultAt(c, "memory", 0);
    },
    ["step", "app.fault"],
  ),
  s.act("sigframe below it: fpstate, siginfo, ucontext, restorer; uc_sigmask := the host's"),
  s.act("signal->pal_context: RIP := handler, RSP := sigframe", (c, v) => void contextOf(c, v), ["step", "undefined.read"]),
  s.act("event->uc: RIP := handler, RSP := sigframe, RAX := 0, no fpregs", redirect, "libos.sigframe"),
  s.act("event->context := event->uc"),
  s.ret(),
]);

/** What a return to NULL runs into. */
export const zero = flow(addressZero, "app", "pr347 c8", (s) => [
  s.act("fault: instruction at address 0", (c) => faultAt(c, "memory", 0), "app.fault"),
  s.act("behind address 0", (c) => undefinedBehaviour(c, c.t, "control flow goes on behind address 0")),
]);

export const frameFlows: readonly Flow[] = [setup, zero];
