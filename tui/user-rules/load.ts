/** Rules that users bring (`--rules PATH`): SQL files and JavaScript modules, alone or in a folder. */

import { lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { RULES } from "../../analyzer/catalogue.ts";
import { SEVERITIES, type Severity } from "../../analyzer/index.ts";
import { InputError } from "../io.ts";

export interface UserRule {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly file: string;
}
export interface SqlRule extends UserRule {
  readonly sql: string;
}
export interface ModuleFile {
  readonly file: string;
}
export interface UserRules {
  readonly sql: readonly SqlRule[];
  readonly modules: readonly ModuleFile[];
}

const MOST_BYTES = 1024 * 1024;
const MOST_FILES = 200;
const ID = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const LONGEST = 500;

/** Throws InputError for what is no rule. Modules are not run here. */
export function loadRules(paths: readonly string[]): UserRules {
  const files = paths.flatMap(filesAt);
  if (files.length > MOST_FILES) throw new InputError(`--rules: ${files.length} files; at most ${MOST_FILES} are read`);
  const sql = files.filter((file) => file.endsWith(".sql")).map(sqlRule);
  const modules = files.filter((file) => file.endsWith(".mjs")).map((file) => ({ file: realpathSync(file) }));
  refuseTwice(sql);
  return { sql, modules };
}

/** Throws InputError when an id is taken. */
export function refuseTwice(rules: readonly UserRule[]): void {
  const seen = new Set(RULES.map(({ id }) => id));
  for (const { id, file } of rules) {
    if (seen.has(id)) throw new InputError(`${file}: a rule "${id}" exists already; call it otherwise`);
    seen.add(id);
  }
}

function filesAt(name: string): string[] {
  const about = stat(name);
  if (about.isDirectory()) {
    const inside = readdirSync(name)
      .filter((file) => /\.(?:sql|mjs)$/.test(file))
      .sort()
      .map((file) => path.join(name, file));
    if (inside.length === 0) throw new InputError(`--rules ${name}: no .sql and no .mjs file in this folder`);
    return inside.flatMap(filesAt);
  }
  if (!about.isFile()) throw new InputError(`--rules ${name}: neither a file nor a folder`);
  if (about.size > MOST_BYTES) throw new InputError(`--rules ${name}: ${about.size} bytes; a rule has at most ${MOST_BYTES}`);
  if (!/\.(?:sql|mjs)$/.test(name)) throw new InputError(`--rules ${name}: expected a .sql file or a .mjs module`);
  return [name];
}

function stat(name: string): ReturnType<typeof lstatSync> & object {
  try {
    return lstatSync(realpathSync(name));
  } catch {
    throw new InputError(`--rules ${name}: no such file or folder`);
  }
}

/** The header is comments at the beginning: "-- rule: ID", "-- title: TEXT", "-- severity: WORD". */
function sqlRule(file: string): SqlRule {
  const sql = readFileSync(file, "utf8");
  const header = new Map<string, string>();
  for (const line of sql.split("\n")) {
    if (line.trim() === "") continue;
    const [, name, value] = /^--\s*(rule|title|severity)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) header.set(name, value);
    else if (!line.startsWith("--")) break;
  }
  return {
    ...checked({ id: header.get("rule"), title: header.get("title"), severity: header.get("severity") }, file, "-- rule: my-rule"),
    sql,
  };
}

/** What a rule says of itself. Throws InputError. */
export function checked(
  given: { readonly id: unknown; readonly title: unknown; readonly severity: unknown },
  file: string,
  example: string,
): UserRule {
  const { id, title, severity } = given;
  if (typeof id !== "string" || !ID.test(id) || id.length > 80)
    throw new InputError(
      `${file}: it does not say what the rule is called; expected an id of small letters, digits and "-", such as ${example}`,
    );
  if (typeof title !== "string" || title === "" || title.length > LONGEST)
    throw new InputError(`${file}: rule ${id} has no title of 1 to ${LONGEST} characters`);
  if (typeof severity !== "string" || !isSeverity(severity))
    throw new InputError(`${file}: rule ${id}: severity must be one of ${SEVERITIES.join(", ")}`);
  return { id, title, severity, file };
}

const isSeverity = (word: string): word is Severity => SEVERITIES.some((one) => one === word);
