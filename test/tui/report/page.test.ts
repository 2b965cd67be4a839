/** The page of `eintr report` in a real browser: what a colleague does with it, and what a stranger's trace cannot. */

import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTrace, record } from "../../../recorder/index.ts";
import { type Browser, type BrowserPage, startBrowser } from "../../support/browser.ts";
import { eintr } from "../../support/command-line.ts";
import { syntheticSource, testInfo } from "../../support/synthetic-source.ts";
import { tempPaths } from "../../support/temp-dir.ts";

const fresh = tempPaths();
let browser: Browser;
let file: string;

beforeAll(async () => {
  browser = await startBrowser();
  const dir = fresh("lost.trace");
  await eintr(["record", "lost-interrupted-error", "--stack", "graphene-sgx", "-o", dir]);
  file = fresh("lost.html");
  const { code, talk } = await eintr(["report", dir, "-o", file]);
  expect(code, talk).toBe(0);
});
afterAll(() => browser?.close());

const open = (html: string): Promise<BrowserPage> => browser.open(pathToFileURL(html).href);
const HERE = "document.activeElement.dataset.seq ?? document.activeElement.id";
/** In its own lines, without those of the lanes' canvas. */
const text = (page: BrowserPage, selector: string): Promise<unknown> =>
  page.evaluate(`document.querySelector(${JSON.stringify(selector)}).innerText`);

test("opens without a request and without a problem, and tells the verdict first", async () => {
  const page = await open(file);
  expect(await text(page, "h1")).toBe("lost-interrupted-error on graphene-sgx");
  expect(await text(page, "#verdict")).toMatch(
    /main exits with status 0\s+first difference from Linux alone: .*read\(pipe, 64\): 0, on Linux -EINTR/,
  );
  expect(page.requests).toEqual([pathToFileURL(file).href]);
  expect(page.problems).toEqual([]);
});

test("by keys: to the finding, by its evidence to the row of its diagram", async () => {
  const page = await open(file);
  await page.press("f");
  expect(await page.evaluate(HERE)).toBe("finding-1");
  expect(await text(page, "#finding-1 h3")).toBe("high read(pipe, 64) returns 0 instead of -EINTR after SIGINT");
  const wrong = `[...document.querySelectorAll("#finding-1 .evidence li")].find((li) => li.innerText.includes("the wrong turn"))`;
  const seq = String(await page.evaluate(`${wrong}.querySelector("button").innerText`));
  await page.evaluate(`${wrong}.querySelector("button").focus()`);
  await page.press("Enter");
  expect(await page.evaluate(HERE)).toBe(seq);
  const row = `document.querySelector('.diagram tr[data-seq="${seq}"]')`;
  expect(await page.evaluate(`${row}.innerText`)).toContain("update registers with event.frame registers");
  expect(await page.evaluate(`${row}.nextElementSibling.innerText`)).toContain("▲ the wrong turn");
  const bounds = `${row}.getBoundingClientRect()`;
  expect(await page.evaluate(`${bounds}.top >= 0 && ${bounds}.bottom <= innerHeight`)).toBe(true);
  expect(await page.evaluate("location.hash")).toBe(`#seq-${seq}`);
});

test("a link with #seq leads to that row", async () => {
  const page = await browser.open(`${pathToFileURL(file).href}#seq-402`);
  expect(await page.evaluate(HERE)).toBe("402");
});

test("notes of the replay are listed as they were written: their bytes are text, and each leads to its transition", async () => {
  const dir = fresh("noted.trace");
  await eintr(["record", "lost-interrupted-error", "--stack", "graphene-sgx", "-o", dir]);
  const trace = await openTrace(dir);
  const note = "</script><img src=x onerror=alert(1)><b>here</b>";
  const kept = { format: 1, transitions: trace.transitions.rows, bookmarks: [{ seq: 402, note }] };
  trace.close();
  writeFileSync(`${dir}/replay.json`, JSON.stringify(kept));
  const noted = fresh("noted.html");
  expect((await eintr(["report", dir, "-o", noted])).code).toBe(0);
  const page = await open(noted);
  expect(await text(page, "#notes h2")).toBe("Notes (1)");
  expect(await text(page, "#notes .note")).toBe(note);
  expect(await page.evaluate(`document.querySelectorAll("#notes b, #notes img").length`)).toBe(0);
  await page.evaluate(`document.querySelector("#notes button").click()`);
  expect(await page.evaluate("location.hash")).toBe("#seq-402");
  expect(page.problems).toEqual([]);
});

test("the search finds rows, findings and signals; Enter goes to the first", async () => {
  const page = await open(file);
  await page.press("/");
  expect(await page.evaluate(HERE)).toBe("search");
  await page.type("signal #1 sigint");
  expect(await text(page, ".status")).toBe("1 found");
  await page.press("Enter");
  expect(await page.evaluate("document.activeElement.className")).toContain("signal");
  await page.press("/");
  await page.evaluate("document.activeElement.select()");
  await page.type("no such thing");
  expect(await text(page, ".status")).toBe("nothing found");
});

test("the lanes zoom, move and tell of a slice by keys, and by the mouse", async () => {
  const page = await open(file);
  // After a layout has settled: what the page observes of its size is told with the frame after, and draws the lanes anew.
  const settled = "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))";
  const pixels = (): Promise<unknown> => page.evaluate(`${settled}.then(() => document.querySelector("canvas").toDataURL())`);
  const whole = await pixels();
  await page.evaluate(`document.querySelector("canvas").focus()`);
  await page.press("+");
  const near = await pixels();
  expect(near).not.toBe(whole);
  await page.press("0");
  expect(await pixels()).toBe(whole);
  for (let i = 0; i < 2; i += 1) await page.press("n");
  const told = String(await text(page, ".details"));
  expect(told).toMatch(/ on main: .*, at .* for .* Seq \d+$/);
  await page.press("n");
  expect(await text(page, ".details")).not.toBe(told);
  await page.click('button[aria-label="zoom in"]');
  expect(await pixels()).not.toBe(whole);
});

test("is light or dark as the user prefers, and prints with all its parts unfolded", async () => {
  const page = await open(file);
  const back = (): Promise<unknown> => page.evaluate("getComputedStyle(document.body).backgroundColor");
  await page.prefer("light");
  expect(await back()).toBe("rgb(255, 255, 255)");
  await page.prefer("dark");
  expect(await back()).toBe("rgb(17, 20, 26)");
  const pdf = await page.print();
  expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
  expect(await page.evaluate(`document.querySelectorAll("details:not([open])").length`)).toBe(0);
});

describe("a stranger's trace", () => {
  const EVIL = [
    "</script><script>globalThis.hacked = 1</script>",
    "<img src=x onerror='globalThis.hacked = 2'>",
    "<!--<script>",
    "javascript:globalThis.hacked=3",
    "]]><svg onload=globalThis.hacked=4>",
    "https://example.invalid/\u202e\u0000",
  ];
  const evil = EVIL.join(" ");

  async function evilReport(): Promise<string> {
    const dir = fresh("evil.trace");
    const source = syntheticSource({ rows: 5000 });
    const sites = source.sites.map((site, i) => ({ ...site, label: `${EVIL[i % EVIL.length]} ${i}`, flow: evil, source: evil }));
    const threads = source.threads as { name: string; pid: number; tid: number; internal: boolean }[];
    threads[0] = { ...(threads[0] as (typeof threads)[0]), name: evil };
    await record(Object.assign(source, { sites }), dir, { ...testInfo(), scenario: evil, stack: evil, fixes: [evil], eintr: evil });
    await eintr(["analyze", dir]);
    const trace = await openTrace(dir);
    const evidence = [10, 20, 30].map((seq) => ({ seq, id: "x", caption: evil }));
    const finding = {
      rule: evil,
      severity: evil,
      title: evil,
      thread: 0,
      firstSeq: 10,
      lastSeq: 30,
      costNs: 1,
      fingerprint: evil,
      evidence,
    };
    trace.replaceFindings(
      [finding],
      [
        ...trace.ask("SELECT rule FROM analysis").map(([rule]) => ({ rule: String(rule), findings: 0, costNs: 0, omitted: 0 })),
        { rule: evil, findings: 1, costNs: 1, omitted: 0 },
      ],
    );
    trace.close();
    const html = fresh("evil.html");
    const { code, talk } = await eintr(["report", dir, "-o", html]);
    expect(code, talk).toBe(0);
    return html;
  }

  test("does nothing: no script runs, nothing is asked for, its texts are texts", async () => {
    const html = await evilReport();
    const page = await open(html);
    expect(await text(page, "#finding-1 h3")).toContain("<img src=x onerror=");
    await page.press("f");
    await page.press("/");
    await page.type("onerror");
    expect(await page.evaluate(`document.querySelectorAll(".hits button").length`)).toBeGreaterThan(0);
    await page.press("Enter");
    await page.print();
    expect(await page.evaluate("typeof globalThis.hacked")).toBe("undefined");
    expect(await page.evaluate(`document.querySelectorAll("img, iframe, object, embed, form, base").length`)).toBe(0);
    expect(await page.evaluate(`document.querySelectorAll("script").length`)).toBe(2);
    expect(await page.evaluate("document.body.innerText")).not.toMatch(/[\u202e\u0000]/);
    expect(page.requests).toEqual([pathToFileURL(html).href]);
    expect(page.problems).toEqual([]);
  });

  test("could do nothing, either: the page's policy forbids what is not its own", async () => {
    const page = await open(file);
    const asked = await page.evaluate(`fetch("https://example.invalid/x").then(() => "went", () => "refused")`);
    const script = `(() => { const s = document.createElement("script"); s.append("globalThis.hacked = 5"); document.body.append(s); })()`;
    await page.evaluate(`try { ${script} } catch {}`);
    await page.evaluate(`try { document.body.insertAdjacentHTML("beforeend", "<img src=https://example.invalid/y>") } catch {}`);
    expect(asked).toBe("refused");
    expect(await page.evaluate("typeof globalThis.hacked")).toBe("undefined");
    expect(page.problems.join("\n")).toContain("Content Security Policy");
    // What is blocked shows up as a request that is not sent.
    expect(await page.evaluate(`performance.getEntriesByType("resource").filter(({ transferSize }) => transferSize > 0).length`)).toBe(0);
  });

  test("a report whose policy is taken away would be open to it: the test above can fail", async () => {
    const bare = fresh("bare.html");
    writeFileSync(bare, readFileSync(file, "utf8").replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, ""));
    const page = await open(bare);
    await page.evaluate(
      `(() => { const s = document.createElement("script"); s.append("globalThis.hacked = 5"); document.body.append(s); })()`,
    );
    expect(await page.evaluate("globalThis.hacked")).toBe(5);
  });
});
