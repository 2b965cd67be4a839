/** Calls about signals, and what a delivery costs in PAL calls. */

import type { PalCase } from "../../support/pal-calls.ts";

const H = { handlers: { h: [{ compute: "1us" }] } };
const act = (signal: string, flags: string[] = []): unknown => ({ sigaction: { signal, handler: "h", flags } });
const mask = (how: string, ...signals: string[]): unknown => ({ sigprocmask: { how, signals } });
const SELF = { tgkill: { thread: "self", signal: "SIGUSR1" } };

export const SIGNALS: readonly PalCase[] = [
  { call: "rt_sigaction, first action of a number", page: "L(cur) [L(slab) U(slab)] U*(cur)", main: [act("SIGUSR1")], more: H },
  { call: "rt_sigaction, again", page: "L(cur) U*(cur)", main: [act("SIGUSR1"), act("SIGUSR1")], more: H },
  { call: "rt_sigprocmask, nothing pending", page: "L(cur) U*(cur)", main: [mask("block", "SIGUSR1")] },
  {
    call: "rt_sigprocmask lets a pending signal through",
    page: "L(cur) U*(cur): FLUSH: L(cur) U(cur), handler, L(slab) U(slab), DkThreadYieldExecution@1",
    main: [act("SIGUSR1"), mask("block", "SIGUSR1"), SELF, mask("unblock", "SIGUSR1")],
    more: H,
  },
  { call: "rt_sigpending", page: "no PAL call at all", main: ["sigpending"] },
  { call: "sigaltstack", page: "L(cur) U*(cur)", main: ["sigaltstack"] },
  {
    call: "rt_sigsuspend, ended by a host SIGINT",
    page: "L(cur) DkEventClear@1 DkObjectsWaitAny@1 [DEFER in it: L(slab) U(slab)] U*(cur) FLUSH: L(cur) U(cur), handler, L(slab) U(slab), DkThreadYieldExecution@1",
    main: [act("SIGINT"), "sigsuspend"],
    more: { ...H, signals: [{ signal: "SIGINT", when: { at: "5ms" } }] },
  },
  {
    call: "tgkill to self, delivered now",
    page: "none, then deliver_signal NOW: L(cur) U(cur), handler",
    main: [act("SIGUSR1"), SELF],
    more: H,
  },
  {
    call: "tgkill to self, SA_RESETHAND",
    page: "deliver_signal NOW: L(cur) [RESETHAND: L(slab) U(slab)] U(cur), handler",
    main: [act("SIGUSR1", ["SA_RESETHAND"]), SELF],
    more: H,
  },
  {
    call: "tgkill to self, blocked",
    page: "deliver_signal DEFER: L(slab) U(slab)",
    main: [act("SIGUSR1"), mask("block", "SIGUSR1"), SELF],
    more: H,
  },
  {
    call: "tgkill to self, blocked, the ring is full",
    page: "DEFER: L(slab) U(slab) [ring full: L(mst) [first: DkStreamOpen] DkStreamWrite U(mst) L(slab) U(slab)]",
    main: [act("SIGUSR1"), mask("block", "SIGUSR1"), { loop: { times: 31, do: [SELF] } }, SELF],
    operation: 5,
    more: H,
  },
  {
    call: "read of a pipe, interrupted by a host SIGINT",
    page: "L(map) U*(map) DkStreamRead@0 with deliver_signal NOW in it: L(cur) U(cur), handler",
    main: [act("SIGINT"), { read: { from: "o" } }],
    more: { ...H, signals: [{ signal: "SIGINT", when: { at: "5ms" } }] },
  },
  {
    call: "read of a terminal, interrupted by a host SIGINT",
    page: "L(map) U*(map) L(hdl) DkStreamRead@1 [DEFER in it: L(slab) U(slab)] U*(hdl) FLUSH: L(cur) U(cur), handler, L(slab) U(slab), DkThreadYieldExecution@1",
    main: [act("SIGINT"), { read: { from: "o" } }],
    more: { ...H, objects: { o: "tty" }, signals: [{ signal: "SIGINT", when: { at: "5ms" } }] },
  },
];
