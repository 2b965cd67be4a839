/** The house rules that a machine can check: import directions, what the engine must not touch, file sizes. */

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "..");
/** Left to right: a folder may import from itself and those before it. */
const ORDER = ["engine", "recorder", "analyzer", "tui"] as const;
/** What a folder shows to the others. What the start of the program does without is behind a door of its own. */
const DOORS: readonly string[] = [
  "engine/index.ts",
  "recorder/index.ts",
  "recorder/import/index.ts",
  "analyzer/index.ts",
  "analyzer/catalogue.ts",
].map(path.normalize);

interface File {
  name: string;
  text: string;
}

function filesBelow(folder: string, names = /\.tsx?$/): File[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && names.test(entry.name))
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

    it(`${folder} knows of the others what their doors show`, () => {
      const past = filesBelow(folder).flatMap((file) =>
        importsOf(file)
          .filter((target) => target.split(path.sep)[0] !== folder && !DOORS.includes(target))
          .map((target) => `${file.name} -> ${target}`),
      );
      expect(past).toEqual([]);
    });
  }
});

describe("the recorder", () => {
  /** A room may import from itself and those before it; the door sees all. */
  const ROOMS = ["format", "arrow", "schema", "derive", "sqlite", "query", "trace", "import", "export"];
  const targets = () => filesBelow("recorder").flatMap((file) => importsOf(file).map((target) => ({ from: file.name, to: target })));
  const roomOf = (name: string): string | null => (name.split(path.sep)[2] === undefined ? null : (name.split(path.sep)[1] ?? null));

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

/** Files that are loaded when this one is: all it imports but `import type`. The build keeps the import of a list of types. */
const loadedBy = (file: File): string[] => importsOf({ ...file, text: file.text.replaceAll(/^(?:import|export) type [^;]*;/gm, "") });

describe("no circle of imports", () => {
  it("at run time, in the whole house: each file can be loaded first", () => {
    const files = ORDER.flatMap((folder) => filesBelow(folder));
    expect(circlesIn(new Map(files.map((file) => [file.name, loadedBy(file)])))).toEqual([]);
  });

  it("is overlooked", () => {
    const files = [
      { name: "engine/a.ts", text: 'import type { B } from "./b.ts";\nimport { type C } from "./c.ts";\n' },
      { name: "engine/b.ts", text: 'import { A } from "./a.ts";\n' },
      { name: "engine/c.ts", text: 'export {\n  A,\n} from "./d.ts";\n' },
      { name: "engine/d.ts", text: 'export * from "./a.ts";\n' },
    ];
    expect(circlesIn(new Map(files.map((file) => [file.name, loadedBy(file)])))).toEqual(["engine/a.ts engine/c.ts engine/d.ts"]);
  });
});

/** The groups of files each of which imports, by way of others, itself. */
function circlesIn(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const reached = new Map([...imports.keys()].map((name) => [name, reachableFrom(name, imports)]));
  const groups = [...imports.keys()]
    .filter((name) => reached.get(name)?.has(name))
    .map((name) => [...imports.keys()].filter((other) => reached.get(name)?.has(other) && reached.get(other)?.has(name)));
  return [...new Set(groups.map((group) => group.sort().join(" ")))];
}

function reachableFrom(start: string, imports: ReadonlyMap<string, readonly string[]>): Set<string> {
  const seen = new Set<string>();
  const open = [...(imports.get(start) ?? [])];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    open.push(...(imports.get(name) ?? []));
  }
  return seen;
}

describe("the layers of the emulated system", () => {
  /** Each may use itself and those before it, and the files that stand in `engine/` itself. */
  const LAYERS = ["host", "sgx", "pal", "libos", "app", "generations", "stack"];
  /** What a scenario says is asked for by whoever drives the machine, not by the machine. */
  const MAY_ASK = ["scenario", "app", "stack"];

  /** Flows of a generation are written with its own types of threads and processes. */
  const MAY_KNOW = ["pal", "libos", "app", "stack"];
  /** What a stack declares, in types, and lines that many of them have. */
  const DECLARATIONS = [
    "engine/stack/stack.ts",
    "engine/stack/mechanism.ts",
    "engine/stack/shown.ts",
    "engine/stack/state-lines.ts",
    "engine/search/layout.ts",
  ].map(path.normalize);
  /** A scenario may say on which stacks a plan holds. */
  const LIST = path.normalize("engine/stack/index.ts");
  const isVocabulary = (target: string): boolean => /^engine.generations.[^/\\]+.(state|flow)\.ts$/.test(target);

  it("the kernel knows no enclave, no PAL knows the LibOS, none knows the scenario", () => {
    const wrong = [...LAYERS, "scenario"].flatMap((layer) => {
      const allowed = [...LAYERS.slice(0, LAYERS.indexOf(layer) + 1), ...(MAY_ASK.includes(layer) ? ["scenario"] : [])];
      return filesBelow(`engine/${layer}`).flatMap((file) =>
        importsOf(file)
          .filter((target) => target.split(path.sep).length > 2 && !allowed.includes(target.split(path.sep)[1] ?? ""))
          .filter(
            (target) =>
              !(MAY_KNOW.includes(layer) && isVocabulary(target)) &&
              !DECLARATIONS.includes(target) &&
              !(layer === "scenario" && target === LIST),
          )
          .map((target) => `${file.name} -> ${target}`),
      );
    });
    expect(wrong).toEqual([]);
  });
});

describe("a pc", () => {
  it("is moved by the processor and by the named operations of control.ts, by nobody else", () => {
    const others = filesBelow("engine").filter(({ name }) => !["cpu.ts", "control.ts"].includes(path.relative("engine", name)));
    expect(others.filter(({ text }) => /\.pc\s*(?:[-+]?=(?!=)|\+\+|--)|\bpc: 0\b/.test(text)).map(({ name }) => name)).toEqual([]);
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
    const long = [...ORDER, "test"].flatMap((folder) => filesBelow(folder)).filter((file) => file.text.trimEnd().split("\n").length > 400);
    expect(long.map((file) => file.name)).toEqual([]);
  });

  it("hold no mark of a conflict", () => {
    const inFolders = [...ORDER, "test", ".ci"].flatMap((folder) => filesBelow(folder, /(?<!\.(?:br|gz|db|png))$/));
    const above = readdirSync(ROOT).filter((name) => /\.(?:md|json|jsonc|mjs|ts)$/.test(name));
    const all = [...inFolders, ...above.map((name) => ({ name, text: readFileSync(path.join(ROOT, name), "utf8") }))];
    expect(all.map(({ name }) => name)).toContain(path.join("recorder", "README.md"));
    expect(all.filter(({ text }) => /^(?:<{7}|>{7}|\|{7}) /m.test(text)).map(({ name }) => name)).toEqual([]);
  });
});
