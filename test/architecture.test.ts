/** The house rules that a machine can check: import directions, what the engine must not touch, file sizes. */

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "..");
/** Left to right: a folder may import from itself and those before it. */
const ORDER = ["engine", "recorder", "analyzer", "tui"] as const;

interface File {
  name: string;
  text: string;
}

function filesBelow(folder: string): File[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => ({ name: path.relative(ROOT, file), text: readFileSync(file, "utf8") }));
}

const importsOf = (file: File): string[] =>
  [...file.text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map((match) =>
    path.normalize(path.join(path.dirname(file.name), match[1] ?? "")),
  );

describe("imports point one way", () => {
  for (const [rank, folder] of ORDER.entries()) {
    it(`${folder} imports only from ${ORDER.slice(0, rank + 1).join(", ")}`, () => {
      const allowed: readonly string[] = ORDER.slice(0, rank + 1);
      const wrong = filesBelow(folder).flatMap((file) =>
        importsOf(file)
          .filter((target) => !allowed.includes(target.split(path.sep)[0] ?? ""))
          .map((target) => `${file.name} -> ${target}`),
      );
      expect(wrong).toEqual([]);
    });
  }
});

describe("the recorder", () => {
  /** A room may import from itself and those before it; the door sees all. */
  const ROOMS = ["format", "arrow", "schema", "derive", "sqlite", "query", "trace", "import", "export"];
  const targets = () => filesBelow("recorder").flatMap((file) => importsOf(file).map((target) => ({ from: file.name, to: target })));
  const roomOf = (name: string): string | null => (name.split(path.sep)[2] === undefined ? null : (name.split(path.sep)[1] ?? null));

  it("knows of the engine what its door shows", () => {
    const past = targets().filter(({ to }) => to.startsWith("engine") && to !== path.join("engine", "index.ts"));
    expect(past).toEqual([]);
  });

  it("has rooms that build on those before them", () => {
    const found = new Set(targets().map(({ from }) => roomOf(from)));
    expect([...found].filter((room) => room !== null && !ROOMS.includes(room))).toEqual([]);
    const back = targets().filter(({ from, to }) => {
      const [one, other] = [roomOf(from), roomOf(to)];
      return to.startsWith("recorder") && one !== null && (other === null || ROOMS.indexOf(other) > ROOMS.indexOf(one));
    });
    expect(back).toEqual([]);
  });
});

describe("the engine is a pure function of its input", () => {
  // biome forbids the globals; these are the ones it does not see.
  const FORBIDDEN = [/\bMath\.random\b/, /from "node:/, /\basync\b\s*(?:\(|function)/, /\bawait\b/, /\bMath\.(?:log|exp|sin|cos|pow)\b/];
  it("has no chance, no files, no promises, no arithmetic that differs between machines", () => {
    const wrong = filesBelow("engine").flatMap((file) =>
      FORBIDDEN.filter((bad) => bad.test(file.text)).map((bad) => `${file.name}: ${bad}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("files", () => {
  it("are rooms, not halls: at most 400 lines", () => {
    const long = [...ORDER, "test"].flatMap(filesBelow).filter((file) => file.text.split("\n").length > 400);
    expect(long.map((file) => file.name)).toEqual([]);
  });
});
