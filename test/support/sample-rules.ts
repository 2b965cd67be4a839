/**
 * Rules of the tests' own: each asks the model for something else. What they find is not looked at.
 */

import { defineRule, HOW, MASK, NONE, type Rule, SCOPE } from "../../analyzer/index.ts";

/** The pages of these rules are empty; the example is any. */
const page = (id: string, text: string) =>
  ({
    id,
    title: text,
    severity: "info",
    layers: ["libos"],
    generations: ["any"],
    what: text,
    why: "",
    recognise: "",
    ignore: [],
    remedy: "",
    fix: null,
    cost: "",
    source: "reference 3",
    invalid: [{ name: "any", scenario: "server", stacks: [], found: [{ title: "", evidence: [] }] }],
  }) as const;

const words = {
  title: ({ thing }: { thing: string }) => `found: ${thing}`,
  same: ({ thing }: { thing: string }) => [thing],
  captions: { here: () => "here" },
};

const SLOW_NS = 1_000_000;
const DEEP = 3;

export const SAMPLE_RULES: readonly Rule[] = [
  defineRule({
    ...page("slow-delivery", "a handler runs long after its signal came"),
    run(m, found) {
      const sent = new Map<number, number>();
      return {
        "host.signal.generate": () => void sent.set(m.extra % 1024, m.time),
        "app.handler.enter"() {
          const at = sent.get(m.extra % 1024);
          if (at === undefined || m.time - at < SLOW_NS) return;
          found({ thread: m.thread, costNs: m.time - at, evidence: [{ id: "here", seq: m.seq }], data: { thing: String(m.signal) } });
        },
      };
    },
    report: words,
  }),
  defineRule({
    ...page("handler-storm", "handlers interrupt handlers"),
    run(m, found) {
      return {
        "app.handler.enter"() {
          let depth = 0;
          for (let handler = m.open(SCOPE.HANDLER); handler !== NONE; handler = m.around(handler)) depth += 1;
          if (depth > DEEP) found({ thread: m.thread, costNs: 0, evidence: [{ id: "here", seq: m.seq }], data: { thing: "storm" } });
        },
      };
    },
    report: words,
  }),
  defineRule({
    ...page("eintr-missed", "a call goes on although a handler ran in it"),
    run(m, found) {
      const interrupted = m.notesOnScopes<number>((_, call) => {
        if (m.how === HOW.RETURNED && m.libosResultOf(call) >= 0)
          found({ thread: m.thread, costNs: 0, evidence: [{ id: "here", seq: m.seq }], data: { thing: m.labelOf(call) } });
      });
      return {
        "handler.end"() {
          const call = m.open(SCOPE.CALL);
          if (call !== NONE) interrupted.set(call, m.seq);
        },
      };
    },
    report: words,
  }),
  defineRule({
    ...page("lock-held-across-block", "a thread sleeps with a lock in its hands"),
    run(m, found) {
      return {
        "thread.block"() {
          if (m.locksHeld() > 0) found({ thread: m.thread, costNs: 0, evidence: [{ id: "here", seq: m.seq }], data: { thing: "lock" } });
        },
      };
    },
    report: words,
  }),
  defineRule({
    ...page("preempt-leak", "the application runs with the preempt counter up"),
    run(m, found) {
      return {
        "call.end"() {
          if (m.how !== HOW.RETURNED || m.open(SCOPE.HANDLER) !== NONE || !(m.preempt() > 0)) return;
          found({ thread: m.thread, costNs: 0, evidence: [{ id: "here", seq: m.seq }], data: { thing: "preempt" } });
        },
      };
    },
    report: words,
  }),
  defineRule({
    ...page("sleeps-with-signal", "a thread falls asleep while a signal that it may take waits for it"),
    run(m, found) {
      return {
        "thread.block"() {
          if (m.hasDeliverable(MASK.APP) === true)
            found({ thread: m.thread, costNs: 0, evidence: [{ id: "here", seq: m.seq }], data: { thing: "signal" } });
        },
      };
    },
    report: words,
  }),
  defineRule({
    ...page("slow-pal-call", "a PAL call takes long though nothing waits in it"),
    run(m, found) {
      return {
        "pal-call.end"() {
          if (m.how !== HOW.RETURNED || m.time - m.timeOf(m.closed) < SLOW_NS) return;
          found({ thread: m.thread, costNs: 0, evidence: [{ id: "here", seq: m.seq }], data: { thing: m.flowOf(m.closed) } });
        },
      };
    },
    report: words,
  }),
  defineRule({
    ...page("deadlock", "threads wait for each other's locks"),
    run(m, found) {
      return {
        "thread.block"() {
          const seen = new Set<number>();
          for (let lock = m.awaitedLock(); lock !== NONE && !seen.has(lock); lock = m.awaitedLock(m.slotOf(m.holderOf(lock)))) {
            seen.add(lock);
            if (m.holderOf(lock) !== m.thread) continue;
            found({ thread: m.thread, costNs: 0, evidence: [{ id: "here", seq: m.seq }], data: { thing: `${seen.size} locks` } });
            return;
          }
        },
      };
    },
    report: words,
  }),
];
