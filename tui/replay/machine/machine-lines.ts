/** The state of a thread as lines, each with a key, so that what a step changed can be told. */

import {
  eventName,
  type Frame,
  type GrapheneProcess,
  type GrapheneThread,
  type Machine,
  NEVER,
  type Run,
  resultText,
  signalName,
  signalsIn,
} from "../../../engine/index.ts";

export interface StateLine {
  /** The same thing in two states has the same key. */
  readonly key: string;
  readonly text: string;
  /** Of a call stack: it changes with nearly every step, and the timeline shows how. */
  readonly frame: boolean;
}

const line = (key: string, text: string, frame = false): StateLine => ({ key, text, frame });

/** Deepest frames of a stack that are shown. */
const FRAMES = 12;

/** What matters on a signal's road comes first: a small pane shows only that. */
export function stateLines(machine: Machine, run: Run, id: number, sgx: boolean): StateLine[] {
  const t = (machine.threads[id] ?? null) as GrapheneThread | null;
  if (t === null) return [line("gone", "this thread does not exist here: it is over, or not begun")];
  const p = (machine.processes[t.process] ?? null) as GrapheneProcess | null;
  return [
    line("thread", `${t.name}  tid ${t.tid}  ${t.state}${t.dying ? ", dying" : ""}${waitText(machine, t)}`),
    ...lockLines(p, machine),
    ...(sgx ? [enclaveLine(t)] : []),
    line("errno", `${t.libos?.ready ? `pal_errno ${t.libos.palErrno}  ` : ""}RAX ${resultText(t.rax)}`),
    ...pendingLines(t, p, sgx),
    ...maskLines(t),
    line("frames", `signal frames ${t.signalFrames}  handlers running ${t.app.inHandler}`),
    ...(sgx ? ssaLines(t) : []),
    ...stackLines("enclave", t.enclave, run),
    ...stackLines(sgx ? "untrusted" : "stack", t.host, run),
    ...programLines(t, p),
  ];
}

function waitText(machine: Machine, t: GrapheneThread): string {
  // What it waited for last is still noted when it runs again.
  if (t.wait === null || t.state === "run") return "";
  const names = t.wait.objects.map((object) => machine.objects[object]?.name ?? `object ${object}`);
  const until = t.wait.deadline >= NEVER ? "" : ` until ${t.wait.deadline} ns`;
  const what = names.length > 0 ? ` for ${names.join(", ")}` : t.wait.child !== -2 ? " for a child" : "";
  return `${what}${until}${t.wait.interruptible ? "" : ", not interruptible"}`;
}

function enclaveLine({ sgx }: GrapheneThread): StateLine {
  if (!sgx) return line("enclave", "no enclave");
  const where = sgx.inside === 1 ? "inside" : "outside";
  return line("enclave", `${where} the enclave  CSSA ${sgx.cssa} of ${sgx.ssa.length}${sgx.mapped ? "" : "  no TCS yet"}`);
}

function ssaLines({ sgx }: GrapheneThread): StateLine[] {
  return (sgx?.ssa ?? []).map((frame, i) =>
    line(
      `ssa ${i}`,
      frame === null || i >= (sgx?.cssa ?? 0)
        ? `SSA[${i}] -`
        : `SSA[${i}] RAX ${frame.rax}  RDI ${frame.rdi}  RSI ${frame.rsi}  ${frame.vector < 0 ? "EXITINFO not valid" : `EXITINFO vector ${frame.vector}`}${frame.push.length > 0 ? "  rewritten" : ""}`,
    ),
  );
}

function stackLines(name: string, frames: readonly Frame[], run: Run): StateLine[] {
  const { flows } = run.cpu.program;
  const shown = frames.slice(-FRAMES);
  const hidden = frames.length - shown.length;
  return [
    ...(frames.length > 0 ? [line(`${name} head`, `${name} (${frames.length})`)] : []),
    ...(hidden > 0 ? [line(`${name} more`, `  ... ${hidden} below`)] : []),
    ...shown.map((frame, i) => {
      const flow = flows[frame.flow];
      const at = flow?.steps[frame.pc]?.label ?? "its end";
      return line(`${name} ${hidden + i}`, `  ${flow?.name ?? frame.flow}  next: ${at}`, true);
    }),
  ];
}

/** What keeps signals back, and where they wait: from the LibOS down to the host. */
function pendingLines(t: GrapheneThread, p: GrapheneProcess | null, sgx: boolean): StateLine[] {
  const { libos, pal } = t;
  const inHost = [...t.hostPending, ...(p?.hostPending ?? [])].map(({ signal }) => signalName(signal));
  const host = line("host pending", `host pending ${inHost.length > 0 ? inHost.join(" ") : "none"}`);
  if (!libos?.ready) return [host];
  const rings = Object.entries(libos.rings ?? {}).filter(([, ring]) => ring.length > 0);
  const queued = (pal.queue ?? []).map(({ event }) => eventName(event)).join(" ");
  const inPal = `PAL pending ${pal.pendingEvent === 0 ? "none" : eventName(pal.pendingEvent)}${queued === "" ? "" : `, queue ${queued}`}`;
  return [
    line("preempt", `preempt ${libos.preempt}${libos.delayed ? " | SIGNAL_DELAYED" : ""}`),
    line(
      "rings",
      `LibOS pending ${libos.hasSignal}${rings.map(([signal, ring]) => `  ${signalName(Number(signal))} x${ring.length}`).join("")}`,
    ),
    ...(sgx ? [] : [line("pal", inPal)]),
    host,
  ];
}

function maskLines({ libos, hostMask }: GrapheneThread): StateLine[] {
  const host = line("host mask", `host mask ${set(signalsIn(hostMask))}`);
  if (!libos?.ready) return [host];
  return [line("mask", `LibOS mask ${set(signalsIn(libos.mask ?? [0, 0]))}${libos.suspendOnSignal ? "  suspend_on_signal" : ""}`), host];
}

function programLines({ libos }: GrapheneThread, p: GrapheneProcess | null): StateLine[] {
  if (!libos?.ready) return [];
  const handlers = Object.entries(libos.actions ?? {}).map(
    ([signal, action]) => `${signalName(Number(signal))}${action.flow < 0 ? " ignored" : ""}`,
  );
  const timers = (p?.libos?.asyncList ?? []).map((event) => `${event.callback} at ${event.expire}${event.live ? "" : " (cancelled)"}`);
  return [
    line("actions", `handlers ${handlers.length > 0 ? handlers.join(" ") : "none"}`),
    line("syscall", `syscall_nr ${libos.syscallNr ?? 0}`),
    ...(timers.length > 0 ? [line("async", `async list ${timers.join(", ")}`)] : []),
  ];
}

function lockLines(p: GrapheneProcess | null, machine: Machine): StateLine[] {
  const held = Object.entries(p?.pal?.locks ?? {}).filter(([, owner]) => owner >= 0);
  if (held.length === 0) return [];
  return [line("locks", `locks ${held.map(([name, owner]) => `${name} held by ${machine.threads[owner]?.name ?? owner}`).join(", ")}`)];
}

const set = (signals: readonly number[]): string =>
  signals.length === 0 ? "{}" : signals.length > 20 ? `{${signals.length} signals}` : `{${signals.map(signalName).join(" ")}}`;
