/**
 * The program that runs a user's SQL, as text: a child process, because SQLite at work inside better-sqlite3
 * cannot be interrupted by a worker's `terminate()` (measured: it waits for the query), but a process can be
 * killed. As text it starts alike from TypeScript and from a bundle. Arguments: path of better-sqlite3, of the
 * database. It answers one message at a time, so the asker's pace is the pace.
 */

/** Values longer than this are refused, and a chunk ends after this much text. */
const MAX_VALUE_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/** A statement may ask for texts of texts of texts; SQLite alone would take gigabytes for them. */
const MOST_MEGABYTES = 512;
const LOOK_MS = 20;
export const TOO_MUCH_MEMORY = `the query needs more than ${MOST_MEGABYTES} MB of memory: ask for fewer rows at a time, or for parts of long texts (substr)`;

export const QUERY_CHILD = `
"use strict";
const { Worker } = require("node:worker_threads");
const parent = process.ppid;
// While SQLite is at work nobody else could stop this process: should the asker die, or should it take too much memory.
new Worker(
  "setInterval(() => {" +
  "  const tooMuch = process.memoryUsage.rss() > ${MOST_MEGABYTES} * 1048576;" +
  "  if (tooMuch) require('node:fs').writeSync(2, ${JSON.stringify(
    JSON.stringify(`${TOO_MUCH_MEMORY}
`),
  ).slice(1, -1)});" +
  "  if (tooMuch || process.ppid !== " + parent + ") process.kill(process.pid, 'SIGKILL');" +
  "}, ${LOOK_MS})",
  { eval: true },
).unref();
const Sqlite = require(process.argv[1]);
const db = new Sqlite(process.argv[2], { readonly: true, fileMustExist: true });
db.defaultSafeIntegers(true);
let rows = null;
let size = 0;
const plain = (value) => {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (typeof value === "number") size += 8;
  else if (value !== null) {
    if (value.length > ${MAX_VALUE_BYTES}) throw new Error("a value of " + value.length + " bytes is too long to show");
    size += value.length;
  }
  return value;
};
// How many transitions the statement looks at one by one; 0 when it has a shorter way, or looks at the index of kinds only.
const scannedBy = (sql, params) => {
  try {
    const root = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'transition'").pluck().get();
    const opened = new Set();
    let scans = false;
    const steps = db.prepare("EXPLAIN " + sql).all(...params);
    for (const { opcode, p1, p2 } of steps) {
      if (opcode === "OpenRead" && p2 === root) opened.add(p1);
      if ((opcode !== "Next" && opcode !== "Prev") || !opened.has(p1)) continue;
      // A loop over the table; one with an end looks first whether it is there.
      const ends = steps[p2]?.opcode === "Rowid" && ["Gt", "Ge", "Lt", "Le"].includes(steps[Number(p2) + 1]?.opcode);
      const begins = steps.some((step) => /^Seek[GL][TE]$/.test(step.opcode) && step.p1 === p1);
      if (!ends && !begins) scans = true;
    }
    return scans ? Number(db.prepare("SELECT transitions FROM run").pluck().get()) : 0;
  } catch {
    // A statement that cannot be explained, such as EXPLAIN.
    return 0;
  }
};
const begin = ({ sql, params }) => {
  if (rows !== null) rows.return();
  rows = null;
  const statement = db.prepare(sql);
  if (!statement.readonly || !statement.reader) throw new Error("only statements that read are allowed");
  rows = statement.raw().iterate(...params);
  return { columns: statement.columns().map((column) => column.name), scans: scannedBy(sql, params) };
};
const next = ({ count, until }) => {
  const chunk = [];
  size = 0;
  while (chunk.length < count && size < ${CHUNK_BYTES}) {
    const row = rows.next();
    if (row.done) {
      rows = null;
      return { chunk, done: true };
    }
    chunk.push(row.value.map(plain));
    // At each row: where rows are slow to come, 64 of them can be minutes. It costs a hundredth of what a row does.
    if (Date.now() > until) break;
  }
  return { chunk, done: false };
};
process.on("message", (message) => {
  try {
    process.send(message.sql === undefined ? next(message) : begin(message));
  } catch (error) {
    rows = null;
    process.send({ error: error.message });
  }
});
process.on("disconnect", () => process.exit(0));
`;
