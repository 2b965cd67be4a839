/** The state of a thread as lines, each with a key, so that what a step changed can be told. */

import {
  eventName,
  type Frame,
  type Machine,
  NEVER,
  type Process,
  type Run,
  resultText,
  signalName,
  signalsIn,
  type Thread,
} from "../../engine/index.ts";

export interface StateLine {
  /** The same thing in two states has the same key. */
  readonly key: string;
  readonly text: string;
}

const line = (key: string, text: string): StateLine => ({ key, text });

/** Deepest frames of a stack that are shown. */
const FRAMES = 12;

export function stateLines(machine: Machine, run: Run, id: number, sgx: boolean): StateLine[] {
  const t = machine.threads[id];
  if (t === null || t === undefined) return [line("gone", "this thread does not exist here: it is over, or not begun")];
  const p = machine.processes[t.process] ?? null;
  return [
    line("thread", `${t.name}  tid ${t.tid}  ${t.state}${t.dying ? ", dying" : ""}${waitText(machine, t)}`),
    ...lockLines(p, machine),
    ...(sgx ? sgxLines(t) : []),
    ...stackLines("enclave", t.enclave, run),
    ...stackLines(sgx ? "untrusted" : "stack", t.host, run),
    ...libosLines(t, p),
    ...palLines(t, sgx),
    ...hostLines(t, p),
  ];
}

function waitText(machine: Machine, t: Thread): string {
  if (t.wait === null) return "";
  const names = t.wait.objects.map((object) => machine.objects[object]?.name ?? `object ${object}`);
  const until = t.wait.deadline >= NEVER ? "" : ` until ${t.wait.deadline} ns`;
  const what = names.length > 0 ? ` for ${names.join(", ")}` : t.wait.child !== -2 ? " for a child" : "";
  return `${what}${until}${t.wait.interruptible ? "" : ", not interruptible"}`;
}

function sgxLines(t: Thread): StateLine[] {
  const { sgx } = t;
  return [
    line(
      "enclave",
      `${sgx.inside === 1 ? "inside" : "outside"} the enclave  CSSA ${sgx.cssa} of ${sgx.ssa.length}${sgx.mapped ? "" : "  no TCS yet"}`,
    ),
    ...sgx.ssa.map((frame, i) =>
      line(
        `ssa ${i}`,
        frame === null || i >= sgx.cssa
          ? `SSA[${i}] -`
          : `SSA[${i}] RAX ${frame.rax}  RDI ${frame.rdi}  RSI ${frame.rsi}  ${frame.vector < 0 ? "EXITINFO not valid" : `EXITINFO vector ${frame.vector}`}${frame.push.length > 0 ? "  rewritten" : ""}`,
      ),
    ),
  ];
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
      return line(`${name} ${hidden + i}`, `  ${flow?.name ?? frame.flow}  next: ${at}`);
    }),
  ];
}

function libosLines(t: Thread, p: Process | null): StateLine[] {
  const { libos } = t;
  if (!libos.ready) return [];
  const rings = Object.entries(libos.rings).filter(([, ring]) => ring.length > 0);
  const handlers = Object.entries(libos.actions).map(
    ([signal, action]) => `${signalName(Number(signal))}${action.flow < 0 ? " ignored" : ""}`,
  );
  return [
    line("preempt", `preempt ${libos.preempt}${libos.delayed ? " | SIGNAL_DELAYED" : ""}`),
    line("errno", `pal_errno ${libos.palErrno}  syscall_nr ${libos.syscallNr}`),
    line("mask", `LibOS mask ${set(signalsIn(libos.mask))}${libos.suspendOnSignal ? "  suspend_on_signal" : ""}`),
    line(
      "rings",
      `LibOS pending ${libos.hasSignal}${rings.map(([signal, ring]) => `  ${signalName(Number(signal))} x${ring.length}`).join("")}`,
    ),
    line("actions", `handlers ${handlers.length > 0 ? handlers.join(" ") : "none"}`),
    ...(p !== null && p.asyncList.length > 0
      ? [
          line(
            "async",
            `async list ${p.asyncList.map((event) => `${event.callback} at ${event.expire}${event.live ? "" : " (cancelled)"}`).join(", ")}`,
          ),
        ]
      : []),
  ];
}

function palLines(t: Thread, sgx: boolean): StateLine[] {
  if (sgx || !t.libos.ready) return [];
  const { pendingEvent, queue } = t.pal;
  const queued = queue.map(({ event }) => eventName(event)).join(" ");
  return [
    line("pal", `PAL pending ${pendingEvent === 0 ? "none" : eventName(pendingEvent)}${queue.length > 0 ? `, queue ${queued}` : ""}`),
  ];
}

function hostLines(t: Thread, p: Process | null): StateLine[] {
  const pending = [...t.hostPending, ...(p?.hostPending ?? [])].map(({ signal }) => signalName(signal));
  return [
    line("rax", `RAX ${resultText(t.rax)}`),
    line("host", `host mask ${set(signalsIn(t.hostMask))}  pending ${pending.length > 0 ? pending.join(" ") : "none"}`),
    line("frames", `signal frames ${t.signalFrames}  handlers running ${t.app.inHandler}`),
  ];
}

function lockLines(p: Process | null, machine: Machine): StateLine[] {
  const held = Object.entries(p?.locks ?? {}).filter(([, owner]) => owner >= 0);
  if (held.length === 0) return [];
  return [line("locks", `locks ${held.map(([name, owner]) => `${name} held by ${machine.threads[owner]?.name ?? owner}`).join(", ")}`)];
}

const set = (signals: readonly number[]): string =>
  signals.length === 0 ? "{}" : signals.length > 20 ? `{${signals.length} signals}` : `{${signals.map(signalName).join(" ")}}`;
