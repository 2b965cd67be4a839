/**
 * Sockets with a time-out of their own (SO_RCVTIMEO): a wait in them ends with EAGAIN when it is over, no handler's flag starts it again, and
 * a library OS need not know the option. They are objects of the scenario.
 */

import { bounded, field, splitArgs, timeSpan, wholeNumber } from "./args.ts";
import { waitNs } from "./costs.ts";
import { EAGAIN } from "./errno.ts";
import type { CallEvent } from "./log.ts";
import type { Context, Finished, Special } from "./mapped.ts";
import type { Item } from "./registrations.ts";

type Kind = "socket" | "unix";

export interface Socket {
  /** Its name in the scenario. */
  readonly name: string;
  readonly kind: Kind;
  /** ns, 0 without: what SO_RCVTIMEO said last. */
  timeout: number;
  /** SO_RCVTIMEO was set once. */
  timed: boolean;
}

/** Sockets of a process by their descriptors; a child has copies. */
export type Sockets = Map<number, Socket>;

/** A call about a socket that has, or is given, a time-out. */
export interface SocketUse {
  readonly socket: Socket;
  /** ns: what was in force then, or is from then on. */
  readonly timeout: number;
}

const MAKES: ReadonlySet<string> = new Set(["socket", "socketpair", "accept", "accept4", "dup", "dup2", "dup3"]);
const WAITS: ReadonlySet<string> = new Set(["read", "readv", "recvfrom", "recvmsg", "recvmmsg", "accept", "accept4"]);

export const ABOUT_SOCKETS: ReadonlySet<string> = new Set([...MAKES, ...WAITS, "close", "setsockopt"]);

const KINDS: Readonly<Record<string, Kind>> = {
  AF_UNIX: "unix",
  AF_LOCAL: "unix",
  PF_UNIX: "unix",
  PF_LOCAL: "unix",
  AF_INET: "socket",
  AF_INET6: "socket",
  PF_INET: "socket",
  PF_INET6: "socket",
};

/** Largest descriptor looked after. */
const MAX_FD = 1_000_000;

/** Follows what a call does to the sockets of its process (`owner`); answers for one on a socket with a time-out, and for what sets it. */
export function socketUse(call: CallEvent, sockets: Sockets, owner: string): SocketUse | null {
  const { name, args, value } = call;
  if (sockets.size === 0 && !MAKES.has(name)) return null;
  const parts = splitArgs(args);
  const fd = wholeNumber(parts[0]) ?? -1;
  const socket = sockets.get(fd);
  const use = socket?.timed && WAITS.has(name) ? { socket, timeout: socket.timeout } : null;
  if (value === null || value < 0) return use;
  const add = (at: number | null, made: Socket | undefined): void => {
    if (at !== null && at >= 0 && at <= MAX_FD && made) sockets.set(at, made);
  };
  const made = (at: number | null, kind: Kind | undefined): void =>
    add(at, kind && { name: `socket-${at}-of-${owner}-line-${call.line}`, kind, timeout: 0, timed: false });
  if (name === "socket") made(value, KINDS[parts[0] ?? ""]);
  else if (name === "socketpair") for (const one of /^\[(\d+)\D.*?(\d+)/.exec(parts[3] ?? "")?.slice(1) ?? []) made(Number(one), "unix");
  else if (name.startsWith("accept")) made(value, socket?.kind);
  else if (name.startsWith("dup")) add(value, socket);
  else if (name === "close") sockets.delete(fd);
  else if (name === "setsockopt" && socket && /^SO_RCVTIMEO(?:_OLD|_NEW)?$/.test(parts[2] ?? "")) return limited(socket, parts[3] ?? "");
  return use;
}

function limited(socket: Socket, text: string): SocketUse | null {
  const timeout = field(text, "tv_sec") === "" ? timeInBytes(text) : timeSpan(text);
  if (timeout === null) return null;
  socket.timeout = timeout;
  socket.timed = true;
  return { socket, timeout };
}

/** `"\1\0\0\0\0\0\0\0\240\206\1\0\0\0\0\0"`: a struct timeval as strace writes bytes. */
function timeInBytes(text: string): number | null {
  if (!/^"[^"]*"$/.test(text)) return null;
  const bytes = [...text.slice(1, -1).matchAll(/\\([0-7]{1,3}|x[0-9a-f]{2}|.)|(.)/g)].map(([, escaped, plain]) => byteOf(escaped, plain));
  if (bytes.length !== 16) return null;
  const number = (at: number): number => bytes.slice(at, at + 8).reduceRight((sum, byte) => sum * 256 + byte, 0);
  return bounded(number(0) * 1e9 + number(8) * 1e3);
}

const NAMED: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12 };

function byteOf(escaped: string | undefined, plain: string | undefined): number {
  if (escaped === undefined) return (plain ?? "").charCodeAt(0) & 0xff;
  if (/^[0-7]/.test(escaped)) return Number.parseInt(escaped, 8) & 0xff;
  if (escaped.startsWith("x") && escaped.length === 3) return Number.parseInt(escaped.slice(1), 16);
  return NAMED[escaped] ?? escaped.charCodeAt(0) & 0xff;
}

/** setsockopt(SO_RCVTIMEO) that went well. */
export function settingTimeout({ call, value }: Finished, { facts }: Context): Special | null {
  const use = facts.sockets.get(call);
  return use ? { item: { "receive-timeout": { on: use.socket.name, for: use.timeout, expect: value } } } : null;
}

/** A time-out that is over, or an answer before: null for any other call. */
export function waitingOnSocket({ call, value, takes }: Finished, { facts }: Context): Special | null {
  const use = facts.sockets.get(call);
  if (!use || value === null || call.name === "setsockopt") return null;
  if (value !== EAGAIN) return { item: onSocket(call, use, { takes, result: value, expect: value }), ns: waitNs(takes) };
  // Sooner than that it was one that does not wait (O_NONBLOCK, MSG_DONTWAIT).
  return use.timeout > 0 && takes >= use.timeout * 0.9 ? { item: onSocket(call, use, { expect: value }), ns: waitNs(takes) } : null;
}

/** One that a signal ended, or that never did. */
export function cutOnSocket(call: CallEvent, { facts }: Context, told: Item): Item | null {
  const use = facts.sockets.get(call);
  return use ? onSocket(call, use, told) : null;
}

function onSocket({ name, value }: CallEvent, { socket }: SocketUse, told: Item): Item {
  if (name.startsWith("accept")) return { accept: { on: socket.name, ...told } };
  return { read: { from: socket.name, ...(value !== null && value > 0 ? { bytes: Math.min(value, 1e9) } : {}), ...told } };
}
