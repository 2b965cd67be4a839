/** The replay as a first-time user goes through it: the story and its end, findings, search, prompts, and keys that must not be silent. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findRule } from "../../../../analyzer/catalogue.ts";
import { COMMANDS } from "../../../../tui/replay/input/commands.ts";
import { onMouse, onTick } from "../../../../tui/replay/input/input.ts";
import type { ReplaySession, StoredFinding } from "../../../../tui/replay/session.ts";
import type { ReplayState } from "../../../../tui/replay/state.ts";
import { type Player, playerOf, sessionOf } from "../../../support/replay.ts";
import { tempPaths } from "../../../support/temp-dir.ts";

const fresh = tempPaths();
let lost: ReplaySession;
/** Two threads. */
let suspended: ReplaySession;
beforeAll(async () => {
  lost = await sessionOf("toy", fresh("lost.trace"));
  suspended = await sessionOf("sigsuspend-lock", fresh("suspended.trace"), { stack: "graphene-linux" });
});
afterAll(() => {
  lost.trace.close();
  suspended.trace.close();
});

const told = (): StoredFinding => lost.stored?.[0] ?? expect.fail("the story of the lost error");
const seqsOfStory = (): number[] => told().evidence.map(({ seq }) => seq);
const lastOf = <T>(list: readonly T[]): T => list[list.length - 1] as T;

const END = "the walkthrough ends here. w explains why it matters and how it was fixed; Enter restarts it";

/** A player of the lost error's story, at one of its pieces of evidence; -1 is the last. */
function atEvidence(at: number, start: Partial<ReplayState> = {}): Player {
  const seqs = seqsOfStory();
  const evidence = at < 0 ? seqs.length + at : at;
  return playerOf(lost, { finding: 0, evidence, seq: seqs[evidence] ?? 0, pane: "findings", ...start });
}

/** As if the rules had found these, each with one piece of evidence where it begins unless others are given. */
function withFindings(...places: readonly { firstSeq: number; evidence?: readonly number[]; rule?: string }[]): Player {
  const stored = places.map(({ firstSeq, evidence = [firstSeq], rule = told().rule }, i) => ({
    ...told(),
    id: i + 1,
    rule,
    title: `finding ${i}`,
    firstSeq,
    evidence: evidence.map((seq) => ({ seq, caption: `at ${seq}` })),
  }));
  return playerOf({ ...lost, stored });
}

describe("the story", () => {
  test("begins with the first finding wherever one stands, goes to its end, says so once, and begins again", async () => {
    const s = playerOf(lost, { seq: lost.rows.count - 2 });
    const seen: number[] = [];
    for (const _ of seqsOfStory()) {
      await s.press("enter");
      seen.push(s.state().seq);
    }
    expect(seen).toEqual(seqsOfStory());
    await s.press("enter");
    expect(s.state()).toMatchObject({ seq: lastOf(seqsOfStory()), message: END });
    await s.press("enter");
    expect(s.state()).toMatchObject({ seq: seqsOfStory()[0], evidence: 0, message: told().evidence[0]?.caption });
  });

  test("who went elsewhere is led back to the evidence that was told last, forward and back", async () => {
    for (const [key, at] of [
      ["enter", -1],
      ["enter", 2],
      ["b", 0],
      ["b", 2],
    ] as const) {
      const s = atEvidence(at);
      const { evidence, seq } = s.state();
      await s.press("home", key);
      expect(s.state(), `${key} at ${at}`).toMatchObject({ evidence, seq, message: told().evidence[evidence]?.caption });
    }
    const s = atEvidence(0);
    await s.press("b");
    expect(s.state().message).toBe("the walkthrough begins here");
  });

  test("the end that was told is forgotten by who goes elsewhere", async () => {
    const s = atEvidence(-1);
    await s.press("enter", "home", "enter");
    expect(s.state().seq).toBe(lastOf(seqsOfStory()));
    await s.press("enter");
    expect(s.state().message).toBe(END);
  });

  test("evidence at a place that the trace does not have holds nobody up", async () => {
    const s = withFindings({ firstSeq: 10, evidence: [10, 5000, 20] });
    await s.press("enter", "enter");
    expect(s.state().message).toBe("there is no seq 5000");
    await s.press("enter");
    expect(s.state()).toMatchObject({ seq: 20, evidence: 2 });
  });

  test("F plays on from here, from the begin when it is at its end, and stops at the end", async () => {
    const s = atEvidence(-1);
    await s.press("F");
    expect(s.state()).toMatchObject({ seq: seqsOfStory()[0], evidence: 0, playing: 1, playWhat: "evidence" });
    await onTick(s.context, 1);
    expect(s.state()).toMatchObject({ seq: seqsOfStory()[1], playing: 1 });
    await onTick(s.context, seqsOfStory().length);
    expect(s.state()).toMatchObject({ message: END, playing: 0 });
    const elsewhere = atEvidence(2);
    await elsewhere.press("home", "F");
    expect(elsewhere.state()).toMatchObject({ seq: seqsOfStory()[2], playing: 1 });
  });

  test("without a finding there is no story: nothing plays", async () => {
    const s = withFindings();
    for (const key of ["F", "enter", "b", "}", "{", "w"]) {
      s.context.dispatch({ type: "say", message: "" });
      await s.press(key);
      expect(s.state(), key).toMatchObject({ message: "no findings", playing: 0, overlay: null, seq: 0 });
    }
  });
});

describe("findings by place", () => {
  test("} goes to the next one after here, { to the one before; beyond the last there is none", async () => {
    const s = withFindings({ firstSeq: 40 }, { firstSeq: 25 });
    s.context.dispatch({ type: "go", seq: 20, thread: 0 });
    await s.press("}");
    expect(s.state()).toMatchObject({ seq: 25, finding: 1, evidence: 0, pane: "findings", message: "finding 1" });
    await s.press("}");
    expect(s.state()).toMatchObject({ seq: 40, finding: 0 });
    await s.press("}");
    expect(s.state()).toMatchObject({ seq: 40, message: "no finding further on" });
    s.context.dispatch({ type: "go", seq: 50, thread: 0 });
    await s.press("{");
    expect(s.state().seq).toBe(40);
    await s.press("{", "{");
    expect(s.state()).toMatchObject({ seq: 25, message: "no finding before here" });
  });

  test("findings that begin at one place, and those whose evidence begins elsewhere, are each come by once", async () => {
    const s = withFindings({ firstSeq: 30 }, { firstSeq: 30 }, { firstSeq: 40, evidence: [20] }, { firstSeq: 50, evidence: [55] });
    const walk = async (key: string): Promise<(number | null)[]> => {
      const seen: (number | null)[] = [];
      for (;;) {
        await s.press(key);
        if (s.state().message.startsWith("no finding")) return seen;
        seen.push(s.state().finding);
      }
    };
    expect(await walk("}")).toEqual([0, 1, 2, 3]);
    expect(await walk("{")).toEqual([2, 1, 0]);
  });
});

describe("why it matters", () => {
  test("w opens the rule's documentation, scrolls it, and closes it; no commands for a shell", async () => {
    const s = atEvidence(-1, { width: 80, height: 23 });
    await s.type("w");
    expect(s.state().overlay).toBe("why");
    let text = "";
    for (;;) {
      const before = s.screen();
      text += before;
      await s.type(" ");
      if (s.screen() === before) break;
    }
    const rule = findRule(told().rule);
    for (const title of [rule.id, "Why it matters", "How it was fixed", "Cost of a finding"]) expect(text).toContain(title);
    expect(text).toContain("w close");
    expect(text).not.toContain("eintr record");
    await s.type("w");
    expect(s.state().overlay).toBeNull();
  });

  test("is told of the first finding when none is chosen", async () => {
    const s = playerOf(lost);
    await s.type("w");
    expect(s.screen()).toContain(told().rule);
  });

  test("a rule of a stranger's trace is said to be unknown", async () => {
    const s = withFindings({ firstSeq: 5, rule: "\u001b[31mof-a-stranger" });
    await s.type("w");
    expect(s.state()).toMatchObject({ overlay: null, message: "no rule of that name here" });
  });
});

describe("overlays", () => {
  test("its own key, Esc, Enter and q only close it; another command closes it and does what it does", async () => {
    for (const [overlay, own] of [
      ["help", "?"],
      ["why", "w"],
    ] as const)
      for (const key of ["q", "\u001b", "\r", own]) {
        const s = playerOf(lost, { overlay });
        const before = s.state();
        await s.type(key);
        expect(s.state(), `${overlay} ${key}`).toEqual({ ...before, overlay: null });
      }
    const s = playerOf(lost, { overlay: "why" });
    await s.type("?");
    expect(s.state()).toMatchObject({ overlay: "help" });
    await s.type("}");
    expect(s.state()).toMatchObject({ overlay: null, finding: 0 });
    await s.type("?:read");
    expect(s.state()).toMatchObject({ overlay: null, prompt: "palette" });
    expect(s.state().line.typed).toBe("read");
  });

  test("the wheel scrolls them, a click does nothing", async () => {
    const s = playerOf(lost, { overlay: "help" });
    await onMouse(s.context, { what: "wheel-down", column: 5, line: 5 });
    await onMouse(s.context, { what: "press", column: 50, line: 1 });
    expect(s.state()).toMatchObject({ overlay: "help", scroll: 1, seq: 0 });
  });

  test("what plays stops: one reads", async () => {
    const s = playerOf(lost, { playing: 1 });
    await s.press("w");
    expect(s.state().playing).toBe(0);
  });

  test("the help explains the words of the screen in lines of 80 cells", () => {
    const text = playerOf(lost, { overlay: "help", width: 80, height: 200 }).screen();
    for (const word of ["transition", "LibOS", "PAL", "upcall", "ocall", "AEX", "TCS", "SSA, CSSA", "signal context", "pended", "preempt"])
      expect(text).toMatch(new RegExp(`^  ${word} `, "m"));
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    for (const line of text.split("\n").slice(2)) expect(line, "an ellipsis").not.toMatch(/…$/);
  });
});

test("rules that could not look through all of the trace have not found nothing", async () => {
  const s = playerOf(lost, { findings: [], looking: true, pane: "findings" });
  s.context.dispatch({ type: "found", findings: null });
  expect(s.screen()).toContain("the rules could not look through all of the trace");
  await s.press("}");
  expect(s.state().message).toBe("the rules could not look through all of the trace");
});

describe("copying", () => {
  test.each([{ folded: false }, { folded: true }])("what is on the screen: %j", async (start) => {
    const s = playerOf(lost, { seq: 28, width: 80, height: 23, ...start });
    await s.press("y");
    const numbers = (text: string): number[] =>
      [...text.matchAll(/^►? +(\d+) {2}(?:app|libos|pal|u-pal|host) /gm)].map(([, n]) => Number(n));
    const onScreen = numbers(s.screen());
    expect(onScreen.length).toBeGreaterThan(2);
    expect(numbers(s.copied())).toEqual(onScreen);
    expect(s.state().message).toBe(`sent to the terminal's clipboard: seq ${onScreen[0]} to ${lastOf(onScreen)}`);
    await s.press("M");
    expect(s.state().message).toContain("as Mermaid: seq");
  });
});

describe("keys have an effect or a word", () => {
  test("threads", async () => {
    const one = playerOf(lost);
    await one.press("t");
    expect(one.state().message).toBe("there is only one thread");
    const two = playerOf(suspended);
    await two.press("T");
    expect(two.state()).toMatchObject({ thread: suspended.trace.threads.length - 1, message: "" });
  });

  test("folding, speed, out of the outermost", async () => {
    const s = playerOf(lost);
    await s.press("z");
    expect(s.state().message).toBe("folded: branches and small functions left out");
    await s.press("z");
    expect(s.state().message).toBe("unfolded");
    await s.press("+");
    expect(s.state().message).toBe("speed 10/s");
    await s.press("-", "-");
    expect(s.state().message).toBe("speed 2/s");
    await s.press("U");
    expect(s.state().message).toBe("this is the outermost function");
    await s.press("end", "u");
    expect(s.state().message).toBe("no enclosing function returns before the trace ends");
  });

  test("while it plays the first line has the speed, and the message stays", async () => {
    const s = playerOf(lost, { playing: 1, message: "a caption" });
    await s.press("+");
    expect(s.state()).toMatchObject({ speed: 10, message: "a caption" });
  });

  test("an empty palette does nothing, an unknown command is said to be none", async () => {
    const s = playerOf(lost);
    for (const typed of [":\r", ":  \r"]) {
      await s.type(typed);
      expect(s.state()).toMatchObject({ seq: 0, prompt: null, message: "" });
    }
    await s.type(":no such thing\r");
    expect(s.state().message).toBe('no command and no question has "no such thing" in its name or text');
    await s.type(":any-next\r");
    expect(s.state().seq).toBe(1);
  });

  test("no text says last for what came before", () => {
    for (const { text, name } of COMMANDS) expect(`${name} ${text}`).not.toMatch(/\blast\b/);
  });
});
