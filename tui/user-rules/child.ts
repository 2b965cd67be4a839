/**
 * The program that runs a user's rule module, as text: a process of its own under node's permission model, which may read the module and
 * nothing else, write nothing and start nothing. It can be killed whatever it does. It answers one message at a time.
 */

const MOST_MEGABYTES = 256;
const LOOK_MS = 50;

/** Arguments: the module's URL. */
export const RULE_CHILD = `
"use strict";
const tooMuch = setInterval(() => {
  if (process.memoryUsage.rss() > ${MOST_MEGABYTES} * 1048576 || process.ppid === 1) process.kill(process.pid, "SIGKILL");
}, ${LOOK_MS});
tooMuch.unref();
const send = process.send.bind(process);
const found = [];
let listener = null;
const report = (finding) => {
  if (found.length > 20000) throw new Error("more than 20000 findings at a time");
  found.push({
    thread: finding.thread,
    seq: finding.seq,
    message: String(finding.message),
    costNs: Number(finding.costNs ?? 0),
    evidence: Array.isArray(finding.evidence) ? finding.evidence.slice(0, 100).map(({ seq, caption }) => ({ seq, caption: String(caption) })) : [],
  });
};
const answer = (more) => send({ ...more, findings: found.splice(0) });
const fail = (error) => send({ error: String(error && error.message || error).slice(0, 2000), findings: [] });
process.on("message", async (message) => {
  try {
    if (message.begin) {
      const { default: rule } = await import(message.begin);
      if (typeof rule !== "object" || rule === null || typeof rule.start !== "function") throw new Error("it has no default export with a function start(report)");
      const started = rule.start(report);
      listener = typeof started === "function" ? { row: started } : started;
      if (typeof listener?.row !== "function") throw new Error("start(report) returns neither a function nor an object with a function row");
      const { id, title, severity, kinds } = rule;
      answer({ rule: { id, title, severity, kinds: Array.isArray(kinds) ? kinds.map(String) : null } });
    } else if (message.rows) {
      for (const row of message.rows) listener.row(row);
      answer({});
    } else {
      if (typeof listener.end === "function") listener.end();
      answer({});
    }
  } catch (error) {
    fail(error);
  }
});
`;
