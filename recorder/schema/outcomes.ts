/** What became of a signal, as numbers of `signal.outcome` and names of the view `signals`. */

/** What became of a signal. The position is the value of `signal.outcome`, the view `signals` has the name: append only. */
export const OUTCOMES = [
  { name: "pending", more: "" },
  { name: "handled", more: "" },
  { name: "ignored", more: "" },
  { name: "coalesced", more: "with one of this number that was pending already" },
  { name: "dropped", more: "because the ring was full" },
  { name: "lost", more: "" },
  { name: "killed", more: "" },
  { name: "consumed", more: "by an upcall or by the wait it ended (RESUME)" },
  { name: "host default", more: "action" },
  { name: "cleared", more: "by SIGCONT or by a stop signal" },
  { name: "taken", more: "by sigtimedwait or out of a signalfd" },
] as const;
type OutcomeName = (typeof OUTCOMES)[number]["name"];

/** Values of `signal.outcome` by name. */
export const OUTCOME = Object.freeze(Object.fromEntries(OUTCOMES.map(({ name }, value) => [name, value]))) as Readonly<
  Record<OutcomeName, number>
>;
