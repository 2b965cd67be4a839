/** Calls with a time among their arguments: an imported log tells it in ns, as the labels of scenarios do. */

interface Timed {
  /** Number of the argument that is the time. */
  readonly at: number;
  /** ns in its unit; of a timespec 1. */
  readonly unit: number;
}

const SPEC = 1;
const TIMED: ReadonlyMap<string, Timed> = new Map([
  ["alarm", { at: 0, unit: 1e9 }],
  ["poll", { at: 2, unit: 1e6 }],
  ["epoll_wait", { at: 3, unit: 1e6 }],
  ["epoll_pwait", { at: 3, unit: 1e6 }],
  ["nanosleep", { at: 0, unit: SPEC }],
  ["clock_nanosleep", { at: 2, unit: SPEC }],
  ["ppoll", { at: 2, unit: SPEC }],
  ["pselect6", { at: 4, unit: SPEC }],
  ["select", { at: 4, unit: SPEC }],
  ["rt_sigtimedwait", { at: 2, unit: SPEC }],
  ["futex_wait", { at: 3, unit: SPEC }],
]);

/** What is told of such a call: the descriptor of an epoll, and the time where the log has it and it ends. Null for any other call. */
export function timedArguments(name: string, parts: readonly string[]): string | null {
  const timed = TIMED.get(name);
  if (timed === undefined) return null;
  const [descriptor = ""] = parts;
  const first = name.startsWith("epoll_") ? [String(numberOf(descriptor))] : [];
  const ns = timed.unit === SPEC ? specOf(parts[timed.at] ?? "") : numberOf(parts[timed.at] ?? "") * timed.unit;
  return [...first, ...(Number.isSafeInteger(ns) && ns >= 0 ? [String(ns)] : [])].join(", ");
}

/** "5000", "0x1388", "0x3 /dev/null"; NaN for anything else, and for a number below 0, which stands for "no time". */
function numberOf(text: string): number {
  const [, digits] = /^(0x[0-9a-f]{1,16}|\d{1,15})(?: .*)?$/i.exec(text.trim()) ?? [];
  const number = digits === undefined ? Number.NaN : Number(digits);
  // -1 as gVisor has it.
  return number > 0x7fff_ffff ? Number.NaN : number;
}

/** ns of Gramine's "[1,500]" and gVisor's "0x7f12 {sec=1 nsec=500}"; NaN for an address alone. */
function specOf(text: string): number {
  const [, seconds = "", ns = ""] = /(?:\[|\{sec=)(\d{1,9})(?:,| nsec=)(\d{1,9})[\]}]$/.exec(text.trim()) ?? [];
  return seconds === "" ? Number.NaN : Number(seconds) * 1e9 + Number(ns);
}
