/** The return address of every host signal handler. It belongs to the program (PAL text in Graphene), not to the kernel. */

import { type Flow, flow } from "../flow.ts";
import type { Layer } from "../transition.ts";
import { restoreRt } from "./flows.ts";
import { sigreturn } from "./signal.ts";

export const restorer = (layer: Layer): Flow =>
  flow(restoreRt, layer, "1.2", ({ act }) => [act("rt_sigreturn: signal handler done", (c, v) => sigreturn(c, c.t, v), "host.sigreturn")]);
