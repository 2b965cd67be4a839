/** Times in the arguments of calls: a site has them in ns, people read them with a unit. The tables keep the numbers. */

/** Calls of the application with a time among their arguments, as their sites name them. */
const TIMED =
  /\b(alarm|setitimer|timer_settime|timerfd_settime|(?:clock_)?nanosleep|p?poll|p?select6?|epoll_p?wait2?|futex_wait|(?:rt_)?sigtimedwait)\(([^()]*)\)/g;
/** An argument that is a number, and no count or name: of a microsecond or more. */
const NS = /(?<=^|, )[0-9]{4,16}(?=$|,)/g;

const UNITS = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "us"],
] as const;

/** All digits, in the largest unit: "29.85 ms". */
function lengthText(ns: number): string {
  const [length, unit] = UNITS.find(([least]) => ns >= least) ?? [1, "ns"];
  return `${ns / length} ${unit}`;
}

/** "nanosleep(5 ms)" of "nanosleep(5000000)", wherever it stands in a text. */
export const withUnits = (text: string): string =>
  text.replace(TIMED, (_, call: string, args: string) => `${call}(${args.replace(NS, (ns) => lengthText(Number(ns)))})`);
