/** Folders that others use, too: two recorders, links, kills at the worst moment, folders that go away, disks without room. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { Source } from "../../engine/block.ts";
import { ARROW_NAME, DB_NAME, openTrace, record, TraceError } from "../../recorder/index.ts";
import { lockFolder } from "../../recorder/trace/folder-lock.ts";
import { syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const ASIDE = ".eintr-replaced";
const rowsIn = async (dir: string): Promise<number> => {
  const trace = await openTrace(dir);
  trace.close();
  return trace.transitions.rows;
};
const recorded = async (rows = 100, dir = fresh("a.trace")): Promise<string> => {
  await record(syntheticSource({ rows }), dir, testInfo());
  return dir;
};

/** A source that does something at its first call. */
const meanwhile = (act: () => void, rows = 100): Source => {
  const source = syntheticSource({ rows });
  let done = false;
  return Object.create(source, {
    run: {
      value: (n: number, sink: Parameters<Source["run"]>[1]) => {
        if (!done) act();
        done = true;
        return source.run(n, sink);
      },
    },
  }) as Source;
};

const replace = (source: Source, dir: string) => record(source, dir, testInfo(), { force: true });

describe("two recorders", () => {
  test("the second is refused, whatever it may, and the first has its trace", async () => {
    const dir = await recorded();
    const refused: unknown[] = [];
    const first = meanwhile(() => {
      refused.push(replace(syntheticSource({ rows: 5 }), dir).catch((error: unknown) => error));
    }, 200);
    await replace(first, dir);
    expect(await refused[0]).toMatchObject({ name: "TraceError", message: expect.stringContaining("another eintr is recording into it") });
    expect(await rowsIn(dir)).toBe(200);
    expect(fs.readdirSync(dir).sort()).toEqual([DB_NAME, ARROW_NAME].sort());
  });

  test("one that was killed keeps nobody out", async () => {
    const dir = await recorded();
    fs.writeFileSync(`${dir}/.eintr-lock`, "");
    await replace(syntheticSource({ rows: 7 }), dir);
    expect(await rowsIn(dir)).toBe(7);
  });

  test("in another process", async () => {
    const dir = await recorded();
    // Holds a lock of the kernel on the file, as a recorder does.
    const holder = `const db = new (require("better-sqlite3"))(process.argv[1]); db.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE"); console.log("held"); setInterval(() => {}, 1e6)`;
    const child: ChildProcess = spawn(process.execPath, ["-e", holder, `${dir}/.eintr-lock`], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    await expect(replace(syntheticSource(), dir)).rejects.toThrow("another eintr is recording into it");
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    await replace(syntheticSource({ rows: 9 }), dir);
    expect(await rowsIn(dir)).toBe(9);
  });

  test("the lock's own file: a link in its place is not followed, a file of somebody else's stays", async () => {
    const dir = await recorded();
    const other = fresh("precious");
    fs.writeFileSync(other, "");
    fs.symlinkSync(other, `${dir}/.eintr-lock`);
    await expect(replace(syntheticSource(), dir)).rejects.toThrow(TraceError);
    fs.rmSync(`${dir}/.eintr-lock`);
    fs.writeFileSync(`${dir}/.eintr-lock`, "mine");
    await expect(replace(syntheticSource(), dir)).rejects.toThrow(TraceError);
    expect(fs.readFileSync(`${dir}/.eintr-lock`, "utf8")).toBe("mine");
    expect(await rowsIn(dir)).toBe(100);
  });

  test("of many that want it one at a time has it", () => {
    const dir = fresh("lock");
    fs.mkdirSync(dir);
    for (let i = 0; i < 20; i += 1) {
      const lock = lockFolder(dir);
      expect(lock).not.toBeNull();
      expect(lockFolder(dir)).toBeNull();
      lock?.release();
    }
    expect(fs.readdirSync(dir)).toEqual([]);
  });
});

describe("links are not followed when something is removed", () => {
  test(".eintr-replaced leads to another trace", async () => {
    const other = await recorded();
    const dir = await recorded(5);
    fs.symlinkSync(other, `${dir}/${ASIDE}`);
    await expect(replace(syntheticSource(), dir)).rejects.toThrow(/no folder of eintr's\. Remove that yourself/);
    (await openTrace(dir)).close();
    expect(await rowsIn(other)).toBe(100);
    expect(await rowsIn(dir)).toBe(5);
  });

  test("the trace's files lead to those of another", async () => {
    const other = await recorded();
    const dir = fresh("links");
    fs.mkdirSync(dir);
    for (const file of [ARROW_NAME, DB_NAME]) fs.symlinkSync(`${other}/${file}`, `${dir}/${file}`);
    await replace(syntheticSource({ rows: 3 }), dir);
    expect(await rowsIn(dir)).toBe(3);
    expect(await rowsIn(other)).toBe(100);
  });
});

describe("killed between moving the older trace aside and the first batch of the new one", () => {
  const killed = async (begun: Buffer | null): Promise<string> => {
    const dir = await recorded();
    fs.mkdirSync(`${dir}/${ASIDE}`);
    for (const file of [ARROW_NAME, DB_NAME]) fs.renameSync(`${dir}/${file}`, `${dir}/${ASIDE}/${file}`);
    if (begun !== null) fs.writeFileSync(`${dir}/${ARROW_NAME}`, begun);
    return dir;
  };
  const header = async (): Promise<Buffer> => fs.readFileSync(`${await recorded(0)}/${ARROW_NAME}`).subarray(0, 8192);

  test.each(["nothing", "an empty file", "a header"])("%s was written: opening puts it back, and says so", async (what) => {
    const dir = await killed(what === "nothing" ? null : what === "a header" ? await header() : Buffer.alloc(0));
    let told = "";
    const trace = await openTrace(dir, { onPutBack: (text) => (told = text), onRebuild: (why) => expect.fail(why) });
    expect(trace?.transitions.rows).toBe(100);
    trace?.close();
    expect(told).toContain("put back");
    expect(fs.readdirSync(dir).sort()).toEqual([DB_NAME, ARROW_NAME].sort());
  });

  test("not while the recording goes on", async () => {
    const dir = await killed(null);
    const lock = lockFolder(dir);
    await expect(openTrace(dir)).rejects.toThrow(TraceError);
    lock?.release();
    expect(await rowsIn(dir)).toBe(100);
  });

  test("a batch was written: the new trace stays, and the next recording replaces it", async () => {
    const dir = await killed(fs.readFileSync(`${await recorded(33)}/${ARROW_NAME}`));
    expect(await rowsIn(dir)).toBe(33);
    const broken = meanwhile(() => {
      throw new RangeError("broken");
    });
    await expect(replace(broken, dir)).rejects.toThrow("broken");
    expect(await rowsIn(dir)).toBe(33);
  });

  test("where it cannot be put back it is said where it lies", async () => {
    const dir = await killed(null);
    vi.spyOn(fs, "renameSync").mockImplementation(() => {
      throw Object.assign(new Error("EROFS: read-only file system"), { code: "EROFS" });
    });
    await expect(openTrace(dir)).rejects.toThrow(`It lies in ${path.join(dir, ASIDE)}`);
    vi.restoreAllMocks();
    expect(await rowsIn(dir)).toBe(100);
  });
});

describe("what cannot be is said in one message, and nothing is left half-written", () => {
  test.each([ARROW_NAME, DB_NAME])("%s is a folder", async (name) => {
    const dir = fresh("odd.trace");
    fs.mkdirSync(`${dir}/${name}`, { recursive: true });
    await expect(replace(syntheticSource(), dir)).rejects.toThrow(`${name} in it is a folder`);
    expect(fs.readdirSync(dir)).toEqual([name]);
  });

  test.each(["/proc/x", "/proc/self/x/y", "/dev/null/x"])("%s cannot be made, and is not tried for ever", async (dir) => {
    await expect(record(syntheticSource(), dir, testInfo())).rejects.toThrow(/the folder cannot be made \(E\w+\)/);
  });

  test("a pipe in the place of the folder", async () => {
    const dir = fresh("pipe.trace");
    execFileSync("mkfifo", [dir]);
    await expect(replace(syntheticSource(), dir)).rejects.toThrow(TraceError);
  });

  test("the folder is removed while it records", async () => {
    const dir = fresh("gone.trace");
    const source = meanwhile(() => fs.rmSync(dir, { recursive: true }));
    await expect(record(source, dir, testInfo())).rejects.toThrow(TraceError);
    expect(fs.existsSync(dir)).toBe(false);
  });

  test("the folder is removed while the database is made", async () => {
    const dir = fresh("gone.trace");
    const removed = record(syntheticSource({ rows: 50_000 }), dir, testInfo(), {
      onProgress: ({ phase }) => phase === "seal" && fs.rmSync(dir, { recursive: true, force: true }),
    });
    await expect(removed).rejects.toThrow(TraceError);
    expect(fs.existsSync(dir)).toBe(false);
  });

  test.each([true, false])("a full disk before the first batch, with an older trace there: %s", async (older) => {
    const dir = older ? await recorded() : fresh("full.trace");
    const full = meanwhile(() => {
      vi.spyOn(fs, "writevSync").mockImplementation(() => {
        throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
      });
    }, 50_000);
    const error = await replace(full, dir).catch((thrown: unknown) => thrown);
    vi.restoreAllMocks();
    expect(error).toMatchObject({ name: "TraceError", message: expect.stringContaining("no space is left") });
    expect((error as Error).message).toContain(older ? "Nothing was recorded; the older trace is there again" : "Nothing was recorded.");
    expect((error as Error).message).not.toContain("holds everything");
    if (older) expect(await rowsIn(dir)).toBe(100);
    else expect(fs.existsSync(dir)).toBe(false);
  });
});
