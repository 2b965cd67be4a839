/** Steps that make a system call, and its arguments. */

import type { CallName } from "../call-names.ts";
import type { Cpu } from "../cpu.ts";
import { E } from "../errno.ts";
import type { Exactly } from "../flow.ts";
import { enter } from "../frames.ts";
import { type CallLocals, callArgs, type Given, NO_OBJECTS } from "../host/calls.ts";
import { ANY, GROUP, NOBODY } from "../host/children.ts";
import { NO_OUTPUT } from "../host/outputs.ts";
import type { Ref } from "../ref.ts";
import type { Operation, OperationOf } from "../scenario/schema.ts";
import { setOf, signalName } from "../signals.ts";
import { extended } from "../state.ts";
import type { ExitArgs, NamedArgs, PollArgs } from "../syscalls.ts";
import { NEVER } from "../time.ts";
import { type Arguments, LIBC, type LibcName } from "./flows.ts";
import type { Context, Items } from "./items.ts";
import { enterCall } from "./pins.ts";

/** A short text of a call's arguments, as the timeline shows it. */
function callText(name: string, op: Operation, told: Context["told"]): string {
  const shown = Object.entries(op)
    .filter(
      ([key, value]) =>
        ![
          "op",
          "expect",
          "result",
          "takes",
          "line",
          "about",
          "takers",
          "finds",
          "interruptible",
          "makes",
          ...(op.op === "call" ? ["name"] : []),
        ].includes(key) &&
        told(key) &&
        value !== undefined &&
        value !== NEVER &&
        !(value === false && !SHOWN_FALSE.has(key)) &&
        !(Array.isArray(value) && value.length === 0),
    )
    .map(([key, value]) => shownValue(key, value));
  const about = "about" in op && op.about !== undefined ? ` ${op.about}` : "";
  return `${name}(${shown.join(", ")})${about}`;
}

const SHOWN_FALSE: ReadonlySet<string> = new Set(["disable", "valid"]);

function shownValue(key: string, value: unknown): string {
  if (key === "nohang") return "WNOHANG";
  if (key === "signal") return signalName(Number(value));
  if (key === "signals" || key === "mask") return (value as readonly number[]).map(signalName).join("+");
  if (Array.isArray(value)) return value.join("+");
  return value === true && !SHOWN_FALSE.has(key) ? key : String(value);
}

/** The step that makes a system call. */
export function call<N extends LibcName, const A extends Arguments<(typeof LIBC)[N]>>(
  x: Context,
  op: Operation,
  name: N,
  args: (c: Cpu) => Exactly<Arguments<(typeof LIBC)[N]>, A>,
  shown: CallName | LibcName = name,
): Items {
  const operation = op.op;
  const called = op.op === "call" ? op.name : op.op;
  return [
    x.s.call(
      callText(shown, op, x.told),
      LIBC[name] as unknown as Ref<object>,
      (c) => {
        c.value = x.number;
        enterCall(c, operation, called);
        return args(c);
      },
      "app.call",
    ),
  ];
}

/** The step that makes a call that is not emulated: which function of libc it is depends on the stack. */
export const chosenCall = (
  x: Context,
  op: OperationOf<"call">,
  name: (c: Cpu) => "call" | "unimplemented" | "undefined",
  args: (c: Cpu) => CallLocals,
): Items => [
  x.s.callDynamic(
    callText(op.name, op, x.told),
    (c) => {
      c.value = x.number;
      enterCall(c, op.op, op.name);
      const kind = name(c);
      if (op.makes !== undefined && kind !== "call") notMade(c, op.makes);
      return enter(c.program, LIBC[kind] as Ref<NamedArgs>, extended(args(c), { what: op.name }));
    },
    "app.call",
  ),
];

/** epoll_pwait2: where a library OS does not have it, though it has the older call, -ENOSYS. */
export const epollPwait2 = (x: Context, op: OperationOf<"epoll-wait">): Items => [
  x.s.callDynamic(
    callText("epoll_wait", op, x.told),
    (c) => {
      c.value = x.number;
      enterCall(c, op.op, op.op);
      const lack = c.wiring.stack.lacks?.("epoll_pwait2") ?? null;
      if (lack === null) return enter(c.program, LIBC.epoll_wait, pollArgs(c, op));
      return enter(c.program, LIBC[lack] as unknown as Ref<NamedArgs>, extended(callArgs(), { what: "epoll_pwait2" }));
    },
    "app.call",
  ),
];

/** The program has -1 in place of a descriptor. */
function notMade(c: Cpu, name: string): void {
  const object = c.m.objects[c.object(name)];
  if (object) object.fd = { what: "none" };
}

export interface Waiting {
  readonly takes?: number | undefined;
  readonly result?: number | undefined;
}

/** Objects by the names that a scenario gives them, one or several. */
function objectsOf(c: Cpu, names: string | readonly string[] | undefined): readonly number[] {
  if (names === undefined) return NO_OBJECTS;
  if (typeof names === "string") return [c.object(names)];
  return names.map((name) => c.object(name));
}

/** Arguments of a call that waits: for an object, or for the outside world. */
export function waitArgs(
  c: Cpu,
  op: Waiting,
  object: string | readonly string[] | undefined,
  more: Pick<Given, "bytes" | "result" | "timeout"> = {},
): CallLocals {
  const objects = objectsOf(c, object);
  return callArgs({
    object: objects.length === 1 ? (objects[0] ?? -1) : -1,
    objects,
    bytes: more.bytes,
    takes: op.takes,
    result: more.result ?? op.result,
    timeout: more.timeout,
  });
}

/**
 * A call that waits for several objects, perhaps under another mask. `fds` and the like are what the LibOS makes of them. One literal: this
 * is on the hot path.
 */
export const pollArgs = (
  c: Cpu,
  op: Waiting & { on?: readonly string[] | undefined; timeout: number; mask?: readonly number[] | undefined },
): PollArgs => ({
  object: -1,
  objects: objectsOf(c, op.on),
  bytes: 0,
  takes: op.takes ?? -1,
  result: op.result ?? 0,
  timeout: op.timeout,
  until: NEVER,
  ends: -1,
  interruptible: true,
  out: NO_OUTPUT,
  ret: 0,
  mask: op.mask === undefined ? null : setOf(op.mask),
  select: false,
  fds: NO_OBJECTS,
  next: 0,
  rest: NO_OBJECTS,
  ready: NO_OBJECTS,
});

/** The outside world answered with an error the PAL has no word for: the call is taken as it was. */
export const plainError = (op: Waiting): boolean =>
  op.takes !== undefined && (op.result ?? 0) < 0 && ![E.INTR, E.AGAIN, E.PIPE, E.CONNRESET].some((known) => known === op.result);

export const opaque = (x: Context, op: OperationOf<"read" | "write" | "accept">): Items =>
  call(x, op, "call", (c) => extended(waitArgs(c, op, undefined), { what: op.op }), op.op);

/** What ends a program that has not said so itself. */
export const exitCall = (status: number): ExitArgs => extended(callArgs(), { status });

/** A process by the name of its program, or self; -1 when there is none. */
export function processNamed(c: Cpu, name: string): number {
  if (name === "self") return c.process(c.t).id;
  return c.processes().findLast((p) => p.name === name || p.name.startsWith(`${name}#`))?.id ?? -1;
}

/** The child process that runs a program: a name nobody has is a pid nobody has. */
export function childNamed(c: Cpu, name: string | undefined): number {
  if (name === undefined) return ANY;
  if (name === "group") return GROUP;
  const me = c.process(c.t).id;
  return c.processes().findLast((p) => p.parent === me && (p.name === name || p.name.startsWith(`${name}#`)))?.id ?? NOBODY;
}
