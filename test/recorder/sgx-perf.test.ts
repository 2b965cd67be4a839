/** Databases as sgx-perf writes them, made by its own schema (logger/src/store.cpp at a3be21a). */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { importerFor } from "../../recorder/import/index.ts";
import { openTrace } from "../../recorder/index.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

const SCHEMA = [
  "CREATE TABLE `event_map` ( `id` INTEGER NOT NULL UNIQUE, `name` TEXT NOT NULL, PRIMARY KEY(`id`) )",
  "CREATE TABLE `general` ( `key` TEXT NOT NULL, `value` INTEGER NOT NULL )",
  "CREATE TABLE `threads` ( `id` INTEGER NOT NULL UNIQUE, `pthread_id` INTEGER NOT NULL, `name` TEXT NOT NULL, `start_address` INTEGER NOT NULL, `start_symbol` TEXT, `start_symbol_file_name` TEXT, `start_address_normalized` INTEGER, PRIMARY KEY(`id`) )",
  "CREATE TABLE `events` ( `id` INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, `type` INTEGER NOT NULL, `time` INTEGER NOT NULL, `involved_thread` INTEGER NOT NULL, `core` INTEGER NOT NULL, `other_thread` INTEGER, `arg` INTEGER, `start_function` INTEGER, `return_value` INTEGER, `name` TEXT, `eid` INTEGER, `file_name` TEXT, `enclave_start` INTEGER, `enclave_end` INTEGER, `call_id` INTEGER, `call_event` INTEGER, `aex_count` INTEGER)",
  "CREATE TABLE `ocalls` ( `id` INTEGER NOT NULL, `eid` INTEGER NOT NULL, `symbol_name` TEXT, `symbol_file_name` TEXT, `symbol_address` INTEGER, `symbol_address_normalized` INTEGER, PRIMARY KEY(`id`,`eid`) )",
  "CREATE TABLE `ecalls` ( `id` INTEGER NOT NULL, `eid` INTEGER NOT NULL, `symbol_address` INTEGER NOT NULL, `symbol_name` TEXT, `is_private` INTEGER, PRIMARY KEY(`id`,`eid`) )",
];

interface Row {
  type: number;
  time: number;
  thread?: number;
  arg?: number;
  ret?: number;
  call?: number;
  of?: number;
}

/** One ecall with an ocall in it, an AEX for SIGALRM, and a second thread. */
const EVENTS: readonly Row[] = [
  { type: 14, time: 1000, call: 0 },
  { type: 20, time: 1500, of: 1 },
  { type: 1, time: 1600, arg: 14, ret: 0 },
  { type: 16, time: 2000, call: 3, of: 1 },
  { type: 3, time: 2100, thread: 1 },
  { type: 17, time: 2500, of: 4, ret: 7 },
  { type: 15, time: 3000, of: 1, ret: 0 },
  { type: 5, time: 3100, thread: 1 },
];

function database(rows: readonly Row[], ...more: string[]): string {
  const file = fresh("out-812.db");
  const db = new Sqlite(file);
  for (const sql of [...SCHEMA, ...more]) db.exec(sql);
  db.exec("INSERT INTO ecalls VALUES (0, 2, 4096, 'ecall_run', 0); INSERT INTO ocalls VALUES (3, 2, 'ocall_read', 'app', 1, 1)");
  db.exec("INSERT INTO threads (id, pthread_id, name, start_address) VALUES (1, 99, 'worker', 0)");
  const insert = db.prepare(
    "INSERT INTO events (type, time, involved_thread, core, other_thread, arg, return_value, eid, call_id, call_event) VALUES (?, ?, ?, 0, 0, ?, ?, 2, ?, ?)",
  );
  for (const { type, time, thread = 0, arg = null, ret = null, call = null, of = null } of rows)
    insert.run(type, time, thread, arg, ret, call, of);
  db.close();
  return file;
}

async function recorded(file: string): Promise<{ code: number; talk: string; dir: string }> {
  const dir = fresh("perf.trace");
  return { ...(await eintr(["record", file, "-o", dir])), dir };
}

test("calls into and out of the enclave, with names, results and real times", async () => {
  const file = database(EVENTS);
  expect(importerFor(readFileSync(file))?.id).toBe("sgx-perf");
  const { dir, talk } = await recorded(file);
  expect(talk).toContain("2.1 us of real time");
  const trace = await openTrace(dir);
  expect(trace.ask("SELECT name, tid FROM thread ORDER BY id")).toEqual([
    ["main", 1],
    ["worker-1", 2],
  ]);
  expect(trace.ask("SELECT call, result, duration_ns FROM syscalls")).toEqual([["ecall ecall_run()", 0, 2000]]);
  expect(
    trace.ask("SELECT time_ns, kind, label, value FROM transitions WHERE kind LIKE 'sgx.%' OR kind LIKE 'ocall.%' ORDER BY seq"),
  ).toEqual([
    [0, "sgx.eenter", "EENTER", 0],
    [500, "sgx.aex", "AEX", -1],
    [1000, "sgx.eresume", "ERESUME", 0],
    [1000, "sgx.eexit", "EEXIT", 0],
    [1000, "ocall.enter", "ocall ocall_read()", 0],
    [1500, "sgx.eenter", "EENTER", 0],
    [1500, "ocall.return", "ocall ocall_read()", 7],
    [2000, "sgx.eexit", "EEXIT", 0],
  ]);
  expect(trace.ask("SELECT signal FROM signals")).toEqual([["SIGALRM"]]);
  trace.close();
  expect((await eintr(["analyze", dir])).code).toBeLessThan(2);
  expect((await eintr(["show", dir, "--all"])).out).toContain("ecall ecall_run()");
});

test("an older database without most columns is read for what it has", async () => {
  const { code, talk } = await recorded(fileURLToPath(new URL("../fixtures/reports/M15-sgxperf.db", import.meta.url)));
  expect([code, talk]).toEqual([0, expect.stringContaining("from a database of sgx-perf")]);
});

describe("is refused in words", () => {
  test.each([
    ["a view", () => database(EVENTS, "CREATE VIEW v AS SELECT 1"), /a view, trigger or virtual table, which sgx-perf does not make/],
    ["no events", () => database([]), /the database has no events/],
    [
      "a damaged file",
      () => {
        const file = database(EVENTS);
        const bytes = readFileSync(file);
        bytes.fill(0xa5, 4096);
        const broken = fresh("broken.db");
        writeFileSync(broken, bytes);
        return broken;
      },
      /the database is damaged \(SQLITE_/,
    ],
  ])("%s", async (_, make, words) => {
    const { code, talk } = await recorded(make());
    expect([code, talk]).toEqual([2, expect.stringMatching(words)]);
  });
});
