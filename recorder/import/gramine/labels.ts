/** Calls of the log in the words that scenarios have for them, so that a log and a run can be laid side by side. */

import { signalName } from "../../../engine/index.ts";
import { splitArgs } from "../strace/args.ts";
import { timedArguments } from "../text/timed-calls.ts";
import { gramineSignal } from "./line.ts";

/** The operations of scenarios that stand for a call; all others have its own name. */
const CALLED: ReadonlyMap<string, string> = new Map([
  ["rt_sigaction", "sigaction"],
  ["rt_sigprocmask", "sigprocmask"],
  ["rt_sigpending", "sigpending"],
  ["rt_sigsuspend", "sigsuspend"],
  ["rt_sigtimedwait", "rt_sigtimedwait"],
  ["ppoll", "poll"],
  ["pselect6", "select"],
  ["epoll_pwait", "epoll_wait"],
  ["accept4", "accept"],
]);

const HOW: Readonly<Record<string, string>> = { BLOCK: "block", UNBLOCK: "unblock", SETMASK: "set" };

/** Arguments that are told: an address says nothing. */
const tells = (arg: string): boolean => !/^0x[0-9a-f]{5,}$/i.test(arg) && arg !== "";

/** Longest text of arguments. */
const MOST = 80;

export function callLabel(name: string, args: string): string {
  const parts = splitArgs(args);
  // A question about these two is none of an imported log's operations either.
  if (name === "rt_sigaction" && /^\[SIG(?:KILL|STOP)\]$/.test(parts[0] ?? "")) return `rt_sigaction(${signalText(parts[0] ?? "")})`;
  const called = name === "futex" && /FUTEX_WAIT/.test(parts[1] ?? "") ? "futex_wait" : (CALLED.get(name) ?? name);
  const timed = timedArguments(called === "futex_wait" ? called : name, parts);
  return `${called}(${timed ?? argumentsOf(name, parts)})`.slice(0, MOST + called.length);
}

function argumentsOf(name: string, parts: readonly string[]): string {
  const [first = "", second = ""] = parts;
  if (name === "rt_sigaction") return signalText(first);
  if (name === "rt_sigprocmask") return [HOW[first] ?? first, setText(second)].filter((text) => text !== "").join(", ");
  if (name === "kill" || name === "tgkill" || name === "tkill")
    return parts.map((part) => (part.startsWith("[") ? signalText(part) : part)).join(", ");
  if (name === "clone") return first.includes("CLONE_THREAD") ? "thread" : "process";
  return parts.filter(tells).join(", ");
}

const signalText = (text: string): string => {
  const signal = gramineSignal(text);
  return signal >= 1 && signal <= 64 ? signalName(signal) : text;
};

const setText = (text: string): string =>
  text.startsWith("[") ? text.slice(1, -1).split(",").filter(Boolean).map(signalText).join("+") : "";
