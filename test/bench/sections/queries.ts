/** Questions in SQL on a long trace, beside a stock sqlite3 where a query has to look at every row. */

import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import path from "node:path";
import Sqlite from "better-sqlite3";
import { DB_NAME } from "../../../recorder/index.ts";
import { QUESTIONS } from "../../support/questions.ts";
import { least, millions, type Setting, timed, times } from "../bars.ts";
import { runProgram } from "../child.ts";

const ROUNDS = 3;
const QUESTION_BAR_MS = 100;
const COUNT_BAR_MS = 500;
const GROUP_BAR = 1.3;

/** Columns of the view to group by, and of the bare table. */
const GROUPS = [["kind", "kind"]] as const;

export function queries(setting: Setting): void {
  const { bars, folder } = setting;
  const rows = setting.rows(20_000_000);
  const dir = path.join(folder, "queries.trace");
  runProgram(setting, "record", "server", "--stack", "graphene-sgx", "--rows", String(rows), "-o", dir);
  const db = path.join(dir, DB_NAME);
  bars.say(`questions on ${millions(rows)} rows`);
  for (const { asks, sql } of QUESTIONS) {
    const ms = fastest(() => ours(db, sql));
    bars.report(`${asks}`, `${ms.toFixed(1)} ms`, `<= ${QUESTION_BAR_MS} ms`, ms <= QUESTION_BAR_MS);
  }
  const count = fastest(() => ours(db, "SELECT count(*) FROM transitions"));
  bars.report(
    `SELECT count(*) FROM transitions (${millions(rows)} rows)`,
    `${count.toFixed(0)} ms`,
    `<= ${COUNT_BAR_MS} ms`,
    count <= COUNT_BAR_MS,
  );
  const stock = stockSqlite(bars.say);
  for (const [view, bare] of GROUPS) {
    const viewMs: number[] = [];
    const bareMs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      viewMs.push(timed(() => ours(db, `SELECT ${view}, count(*) FROM transitions GROUP BY ${view}`)));
      bareMs.push(timed(() => stock(db, `SELECT ${bare}, count(*) FROM transition GROUP BY ${bare}`)));
    }
    const ratio = least(viewMs) / least(bareMs);
    bars.report(`GROUP BY ${view} by the view / bare table, stock sqlite3`, times(ratio), `<= ${GROUP_BAR} x`, ratio <= GROUP_BAR);
  }
  rmSync(dir, { recursive: true });
}

const fastest = (ask: () => void): number => least(Array.from({ length: ROUNDS }, () => timed(ask)));

/** As `eintr query` does: a connection that only reads, opened for the question. */
function ours(db: string, sql: string): void {
  const connection = new Sqlite(db, { readonly: true, fileMustExist: true });
  connection.prepare(sql).raw().all();
  connection.close();
}

/** The sqlite3 of the system where there is one. */
function stockSqlite(say: (words: string) => void): (db: string, sql: string) => void {
  const found = spawnSync("sqlite3", ["--version"], { encoding: "utf8" });
  if (found.status !== 0) {
    say("there is no sqlite3 on the path: better-sqlite3 stands in for it");
    return ours;
  }
  say(`the stock sqlite3 is ${found.stdout.split(" ")[0]}`);
  return (db, sql) => {
    const { status, stderr } = spawnSync("sqlite3", ["-readonly", db, sql], { encoding: "utf8" });
    if (status !== 0) throw new Error(`sqlite3 failed: ${stderr}`);
  };
}
