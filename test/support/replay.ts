/** The replay without a terminal: a session, and a context that keeps the state. */

import { readFileSync } from "node:fs";
import { afterAll } from "vitest";
import { boot, type FixName, parseScenario, type StackName } from "../../engine/index.ts";
import { openTrace, record, type Trace } from "../../recorder/index.ts";
import { paint } from "../../tui/present/style.ts";
import { loadCatalogue } from "../../tui/replay/catalogue.ts";
import { alignCalls } from "../../tui/replay/compare/alignment.ts";
import { besideOther } from "../../tui/replay/compare/other-run.ts";
import type { Context } from "../../tui/replay/context.ts";
import { commandOfKey } from "../../tui/replay/input/commands.ts";
import { onKey } from "../../tui/replay/input/input.ts";
import { keysIn } from "../../tui/replay/input/terminal-input.ts";
import { type Action, reduce } from "../../tui/replay/reduce.ts";
import { frame } from "../../tui/replay/screen/frame.ts";
import { seqsOnScreen } from "../../tui/replay/screen/on-screen.ts";
import { findingsOf, openSession, type ReplaySession, type StoredFinding } from "../../tui/replay/session.ts";
import { type ReplayState, startState } from "../../tui/replay/state.ts";
import { createTasks } from "../../tui/replay/tasks.ts";
import { tempPaths } from "./temp-dir.ts";
import { TOY, TOY_AEX_TEXT, TOY_TEXT } from "./toy-stack.ts";

export interface CaseOptions {
  /** Of a scenario that is not built in. */
  readonly text?: string;
  readonly stack?: StackName;
  readonly fixes?: readonly FixName[];
  readonly rows?: number;
  readonly color?: boolean;
  readonly other?: ReplaySession | null;
}

/** Cases of the toy stack, by the names that tests give them. */
const TOYS: Readonly<Record<string, string>> = { toy: TOY_TEXT, "toy-aex": TOY_AEX_TEXT };
const isToy = (name: string): boolean => Object.hasOwn(TOYS, name);

const scenarioText = (name: string): string =>
  TOYS[name] ?? readFileSync(new URL(`../../engine/scenarios/${name}.yaml`, import.meta.url), "utf8");

export async function recordScenario(name: string, dir: string, options: CaseOptions = {}): Promise<Trace> {
  const { stack = isToy(name) ? TOY : "graphene-sgx", fixes = [], rows } = options;
  const { text = scenarioText(name) } = options;
  const scenario = parseScenario(text, name);
  const run = boot({ stack, scenario, fixes });
  const info = {
    eintr: "test",
    stack,
    fixes: [...fixes],
    options: [],
    scenario: name,
    scenarioText: text,
    seed: scenario.seed,
    scheduler: "scripted",
    origin: "emulated" as const,
  };
  await record(run, dir, info, { rows });
  return openTrace(dir);
}

export async function sessionOf(name: string, dir: string, options: CaseOptions = {}): Promise<ReplaySession> {
  const trace = await recordScenario(name, dir, options);
  // As in the app soon after its first screen.
  await loadCatalogue();
  const session = openSession(trace, { paint: paint(options.color ?? false), ascii: false }, options.other ?? null);
  await alignCalls(session, new AbortController().signal, () => undefined);
  return isToy(name) ? { ...session, stored: (options.fixes ?? []).length > 0 ? [] : [toyFinding(session)] } : analyzed(session);
}

/** Where the thread comes to a place, written "flow: label", for the n-th time. A part of the label will do. */
export function seqOf(session: ReplaySession, place: string, nth = 1): number {
  let left = nth;
  for (let seq = 0; seq < session.rows.count; seq += 1) {
    const site = session.trace.sites[session.rows.at(seq)?.site ?? -1];
    if (site !== undefined && `${site.flow}: ${site.label}`.startsWith(place) && (left -= 1) === 0) return seq;
  }
  throw new Error(`the trace has no ${nth}. "${place}"`);
}

/** What a rule would find in the toy: the story of the lost error. */
function toyFinding(session: ReplaySession): StoredFinding {
  const evidence = [
    ["DkStreamRead: ENTER_PAL_CALL", "the LibOS calls the PAL; pal_errno is 0"],
    ["(outside): a signal arrives", "the host makes the signal pending"],
    ["toy_sighandler: update", "the ocall's result becomes -PAL_ERROR_INTERRUPTED, and an event comes with it"],
    ["on-sigint: on-sigint()", "the application's handler runs"],
    ["_DkHandleExternalEvent: RAX = 0", "the wrong turn: the PAL call is left as if it had returned 0, and nobody tells the LibOS"],
    ["shim_read: ret =", "the LibOS asks pal_errno, which is 0, and returns 0"],
    ["program: exit_group(0)", "the application goes on as if there were no more data"],
  ].map(([place = "", caption = ""]) => ({ seq: seqOf(session, place), caption, isTurn: caption.startsWith("the wrong turn") }));
  return {
    id: 1,
    rule: "sgx-interrupted-code-lost",
    severity: "high",
    title: "read(pipe, 64) returns 0 instead of -EINTR after SIGINT",
    thread: 0,
    firstSeq: evidence[0]?.seq ?? 0,
    lastSeq: evidence.at(-1)?.seq ?? 0,
    evidence,
  };
}

/** As if `eintr analyze` had been there: nothing is left to look for in the background. */
export const analyzed = async (session: ReplaySession): Promise<ReplaySession> => ({ ...session, stored: await findingsOf(session) });

/** Worlds of built-in scenarios, closed at the end of the test file. */
export function sessions(): (name: string, options?: CaseOptions) => Promise<ReplaySession> {
  const fresh = tempPaths();
  const opened: ReplaySession[] = [];
  afterAll(() => {
    for (const session of opened) session.trace.close();
  });
  return async (name, options = {}) => {
    const made = await sessionOf(name, fresh(`${name}.trace`), options);
    opened.push(made);
    return made;
  };
}

const besidePaths = tempPaths();
/** Laid beside others by players. */
const besides: Trace[] = [];
afterAll(() => {
  for (const trace of besides) trace.close();
});

export interface Player {
  readonly context: Context;
  state(): ReplayState;
  /** Run the commands of these keys, one after the other; each is done before the next. Errors are thrown. */
  press(...keys: string[]): Promise<void>;
  /** What a terminal sends, character by character: prompts and the help take it as from a person. */
  type(text: string): Promise<void>;
  screen(): string;
  copied(): string;
}

export function playerOf(session: ReplaySession, start: Partial<ReplayState> = {}): Player {
  let state: ReplayState = { ...startState(session, 100, 30), ...start };
  let copied = "";
  const dispatch = (action: Action): void => void (state = reduce(state, action));
  let shown = session;
  const context: Context = {
    get session() {
      return shown;
    },
    state: () => state,
    dispatch,
    quit() {},
    suspend() {},
    ...createTasks(dispatch),
    copy: (text) => void (copied = text),
    onScreen: () => seqsOnScreen(shown, state),
    async compareWith(chosen, stop, told) {
      const both = await besideOther(shown, chosen, besidePaths("other.trace"), stop, told);
      if (both?.other) besides.push(both.other.trace);
      shown = both ?? shown;
      return both !== null;
    },
    picture: () => "picture.svg",
    save(name, extension, text) {
      copied = text;
      return `${name}.${extension}`;
    },
  };
  return {
    context,
    state: () => state,
    async press(...keys) {
      for (const key of keys) {
        const command = commandOfKey.get(key);
        if (command === undefined) throw new Error(`no command has the key "${key}"`);
        await command.run(context);
      }
    },
    async type(text) {
      for (const typed of keysIn(text)) await onKey(context, typed);
    },
    screen: () => frame(shown, state).join("\n"),
    copied: () => copied,
  };
}
