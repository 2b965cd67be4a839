/**
 * Goldens of the page's diagrams: the recorded flow, step by step, with the page's order and the differences the reference names.
 * After a wanted change: EINTR_UPDATE=1 npx vitest run test/engine/diagrams.test.ts, and read the diff of test/golden.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { boot, EVENT, type StackName, signalName } from "../../engine/index.ts";
import { type Diagram, golden, isAt, type Line, listing, orderOf, witness } from "../support/flow-listing.ts";
import { grapheneThread } from "../support/graphene.ts";
import { handled, NOWHERE, type Ran, type Row, resultOf, rowsOf, runScenario, scenarioOf } from "../support/run-scenario.ts";
import { DIAGRAMS, NAMED, PAGE } from "./diagrams/page.ts";

const FOLDER = path.resolve(import.meta.dirname, "../golden");
const UPDATE = process.env.EINTR_UPDATE === "1";

const diagramOf = (name: string): Diagram => DIAGRAMS.find((diagram) => diagram.name === name) as Diagram;

const runs = new Map<string, Ran>();

/** The run of a diagram, made once. */
function ranOf(diagram: Diagram): Ran {
  const known = runs.get(diagram.name);
  if (known) return known;
  const scenario = typeof diagram.scenario === "string" ? diagram.scenario : scenarioOf(diagram.scenario);
  const ran = runScenario(scenario, diagram.stack);
  runs.set(diagram.name, ran);
  return ran;
}

const linesOf = (diagram: Diagram): Line[] => listing(ranOf(diagram), diagram.interval);
const fileOf = (name: string): string => path.join(FOLDER, `${name}.flow`);

describe.each(DIAGRAMS.map((diagram) => [diagram.name, diagram] as const))("%s", (name, diagram) => {
  it("is recorded as in its golden file", () => {
    const text = golden(diagram, ranOf(diagram));
    if (UPDATE) writeFileSync(fileOf(name), text);
    expect(existsSync(fileOf(name)), `${name}.flow is missing: see the head of this file`).toBe(true);
    expect(text).toBe(readFileSync(fileOf(name), "utf8"));
  });

  it("has the page's steps in the page's order", () => {
    const missing = orderOf(diagram, linesOf(diagram)).filter(([, line]) => line < 0);
    expect(missing.map(([page]) => page)).toEqual([]);
  });

  it("shows the differences it names", () => {
    const lines = linesOf(diagram);
    for (const difference of diagram.notAsOnThePage) {
      const { id, at, never } = difference;
      expect((at === undefined) !== (never === undefined), `${id}: either a line or none`).toBe(true);
      if (at !== undefined) expect(witness(difference, lines), `${id}: no line has "${at}"`).toBeGreaterThanOrEqual(0);
      if (never !== undefined)
        expect(
          lines.filter(({ text }) => text.includes(never)).map(({ text }) => text),
          id,
        ).toEqual([]);
    }
  });
});

describe("test/golden", () => {
  it("has a file for each diagram, and no other", () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith(".flow"));
    expect(files.sort()).toEqual(DIAGRAMS.map((diagram) => `${diagram.name}.flow`).sort());
  });

  it("covers every diagram of the page", () => {
    expect([...new Set(DIAGRAMS.map((diagram) => diagram.page))].sort()).toEqual([...PAGE].sort());
  });

  it.each(Object.entries(NAMED))("names the difference %s where it shows", (id, files) => {
    for (const file of files) expect(readFileSync(fileOf(file), "utf8"), file).toContain(`NOT AS ON THE PAGE: ${id} (`);
  });
});

/** The rows a diagram shows, without the folds. */
const rowsIn = (name: string): Row[] => linesOf(diagramOf(name)).flatMap(({ row }) => row ?? []);
const at = (name: string, place: string): Row => {
  const row = rowsIn(name).find((candidate) => isAt(candidate, place));
  if (!row) throw new Error(`${name}: no "${place}"`);
  return row;
};
/** Values in the order in which they come, each once until it changes. */
const changes = <T>(values: readonly T[]): T[] => values.filter((value, i) => i === 0 || value !== values[i - 1]);
const kinds = (name: string, prefix: string): string[] => rowsIn(name).flatMap(({ what }) => (what.startsWith(prefix) ? [what] : []));

describe("Linux-SGX: what the hardware's state says", () => {
  it.each(["sgx-async-in-enclave", "sgx-sync-in-enclave", "sgx-sync-in-enclave-divide"])("%s: CSSA 0, 1, 0 around two stages", (name) => {
    expect(changes(rowsIn(name).map((row) => row.cssa))).toEqual([0, 1, 0]);
    const crossings = kinds(name, "sgx.").filter((kind) => kind !== "sgx.clobber");
    expect(crossings).toEqual(["sgx.aex", "sgx.eenter", "sgx.eexit", "sgx.eresume"]);
    expect(at(name, "sgx_raise: EENTER").value).toBe(1);
    const places = [
      "enclave_entry: EEXIT(RDX = after_resume)",
      "__restore_rt: rt_sigreturn",
      "async_exit_pointer: ERESUME",
      "_DkExceptionHandler:",
    ];
    const seqs = places.map((place) => at(name, place).seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(at(name, "async_exit_pointer: ERESUME").value, "the SSA frame was rewritten").toBe(1);
    expect(changes(rowsIn(name).map((row) => row.place.context))).toEqual(["normal", "signal", "normal"]);
  });

  it("the vector is reported for #DE and #UD, not for a page fault", () => {
    const vector = (name: string): number => at(name, "(outside): AEX").value;
    expect([vector("sgx-sync-in-enclave"), vector("sgx-sync-in-enclave-divide"), vector("sgx-sync-in-enclave-illegal")]).toEqual([
      -1, 0, 6,
    ]);
  });

  it("outside the enclave: no AEX, CSSA 0, EENTER with the interrupted code, the registers rewritten", () => {
    const name = "sgx-async-outside";
    expect(changes(rowsIn(name).map((row) => row.cssa))).toEqual([0]);
    expect(kinds(name, "sgx.")).toEqual(["sgx.eenter"]);
    const enter = at(name, "sgx_entry_return: EENTER");
    expect([enter.value, enter.extra]).toEqual([0, -13]);
    expect(at(name, "__restore_rt: rt_sigreturn").value).toBe(1);
    expect(resultOf(ranOf(diagramOf(name)), "futex_wait")).toBe("0");
    expect(resultOf(ranOf(diagramOf("sgx-async-outside-resume")), "futex_wait")).toBe("-EINTR");
  });

  it("the same rewrite with CSSA 1 is an exception entry, and the last of the thread", () => {
    const name = "sgx-async-outside-cssa-1";
    const enter = at(name, "sgx_entry_return: EENTER");
    expect([enter.value, enter.extra, enter.cssa]).toEqual([1, -13, 1]);
    expect(at(name, "enclave_entry: double-check: RDI contains an event").value).toBe(243);
    expect(rowsIn(name).at(-1)?.what).toBe("thread.exit");
    expect(handled(ranOf(diagramOf(name)))).toEqual([]);
  });

  it("DkExceptionReturn goes back by frame, by context, and by context when there are both", () => {
    const way = (name: string): number => at(name, "_DkExceptionReturn: event.context, event.frame").value;
    expect([way("sgx-generic-frame"), way("sgx-generic-context"), way("sgx-generic-both")]).toEqual([2, 1, 1]);
    expect(kinds("sgx-generic-frame", "pal.call.")).toEqual(["pal.call.abandon"]);
    expect(kinds("sgx-generic-both", "pal.call.")).toEqual(["pal.call.leave"]);
  });

  it("registers seven signals, each with the mask {SIGCONT}, and unblocks them", () => {
    const registered = rowsIn("sgx-init").filter((row) => row.what === "host.sigaction");
    const names = ["SIGTERM", "SIGINT", "SIGCONT", "SIGSEGV", "SIGILL", "SIGFPE", "SIGBUS"];
    expect(registered.map((row) => signalName(row.signal))).toEqual(names);
    expect(kinds("sgx-init", "host.sigprocmask")).toHaveLength(2);
  });
});

describe("Linux: which context, which order", () => {
  it("registers ten signals without a mask call", () => {
    expect(rowsIn("linux-init").filter((row) => row.what === "host.sigaction")).toHaveLength(10);
  });

  it("during a PAL call: pended in signal context, handled in normal context, in the order of pending", () => {
    const rows = rowsIn("linux-async-in-pal");
    const events = (what: Row["what"]): number[] => rows.filter((row) => row.what === what).map((row) => row.value);
    expect(events("pal.event.pend")).toEqual([EVENT.QUIT, EVENT.SUSPEND]);
    expect(events("pal.event.deliver")).toEqual([EVENT.QUIT, EVENT.SUSPEND]);
    const ran = ranOf(diagramOf("linux-async-in-pal"));
    expect(handled(ran)).toEqual(["SIGTERM", "SIGINT"]);
    expect(rowsOf(ran, { what: "pal.event.pend" }).every((row) => row.place.context === "signal")).toBe(true);
    expect(rowsOf(ran, { what: "app.handler.enter" }).every((row) => row.place.context === "normal")).toBe(true);
    expect(Math.max(...rows.map((row) => row.pending))).toBe(2);
  });

  it("outside PAL calls: the user's handler itself runs in signal context", () => {
    expect(at("linux-async-outside", "handler on-sigint: on-sigint()").place.context).toBe("signal");
    expect(changes(rowsIn("linux-async-outside").map((row) => row.place.context))).toEqual(["normal", "signal", "normal"]);
  });

  it("a fault in the PAL ends that thread and no other", () => {
    const ran = ranOf(diagramOf("linux-sync-in-pal"));
    const dead = rowsOf(ran, { what: "thread.exit", who: "reader" });
    expect(dead.map((row) => row.value)).toEqual([2]);
    expect(ran.rows.some((row) => row.who === "main" && row.seq > (dead[0]?.seq ?? 0) && row.place.layer === "app")).toBe(true);
  });
});

describe("LibOS: the counter, the ring, the mask", () => {
  it("not nested: preempt is 1 in the handler and 0 after it, nothing is ever pending", () => {
    expect(at("libos-non-nested", "handler on-sigint: on-sigint()").preempt).toBe(1);
    expect(rowsIn("libos-non-nested").at(-1)?.preempt).toBe(0);
    expect(Math.max(...rowsIn("libos-non-nested").map((row) => row.pending))).toBe(0);
  });

  it("nested: 1, 2, 1 and one pending until the next system call", () => {
    const rows = rowsIn("libos-nested");
    const first = rows.slice(
      0,
      rows.findIndex((row) => isAt(row, "handler on-sigterm: handler returns")),
    );
    expect(changes(first.map((row) => row.preempt))).toEqual([1, 2, 1]);
    expect(changes(first.map((row) => row.pending))).toEqual([0, 1]);
    expect(at("libos-nested", "shim_getpid: END_SHIM").pending).toBe(1);
    expect(handled(ranOf(diagramOf("libos-nested")))).toEqual(["SIGTERM", "SIGINT"]);
  });

  it("takes the same way on both PALs", () => {
    const way = (stack: StackName, name: string): string[] => {
      const diagram = diagramOf(name);
      const ran = runScenario(diagram.scenario as string, stack);
      return listing(ran, diagram.interval).flatMap(({ row }) => (row?.place.layer === "libos" ? [`${row.where} ${row.preempt}`] : []));
    };
    for (const name of ["libos-non-nested", "upcall-quit", "upcall-resume"]) {
      expect(way("graphene-linux", name), name).toEqual(way("graphene-sgx", name));
    }
  });

  it("leaves the mask alone in a handler, whatever sa_mask says (D12)", () => {
    const flags = { signal: "SIGINT", handler: "h", mask: ["SIGUSR1"], flags: ["SA_ONSTACK"] };
    const scenario = scenarioOf({
      main: [{ sigaction: flags }, { compute: "1ms" }],
      handlers: { h: [{ compute: "2us" }] },
      signals: [{ signal: "SIGINT", when: { at: "600us" } }],
    });
    const entered = rowsOf(runScenario(scenario, "graphene-sgx"), { what: "app.handler.enter" })[0]?.seq ?? 0;
    const run = boot({ scenario, stack: "graphene-sgx" });
    run.run(entered + 1, NOWHERE);
    expect(run.machine.seq).toBe(entered + 1);
    expect(grapheneThread(run.machine)?.libos.mask).toEqual([0, 0]);
  });

  it.each(["graphene-linux", "graphene-sgx"] as const)("%s: the upcall of each host signal", (stack) => {
    const upcalls = ["SIGFPE", "SIGSEGV", "SIGBUS", "SIGILL", "SIGTERM", "SIGINT", "SIGCONT"].map((signal) => {
      const signals = [{ signal, thread: "main", when: { at: "600us" } }];
      const ran = runScenario(scenarioOf({ main: [{ compute: "1ms" }], signals }), stack);
      const entered = rowsOf(ran, { what: "libos.upcall.enter" })[0];
      return `${signal} ${ran.rows[(entered?.seq ?? 0) + 1]?.place.flow} ${entered?.value}`;
    });
    expect(upcalls).toEqual([
      "SIGFPE arithmetic_error_upcall 1",
      "SIGSEGV memfault_upcall 2",
      "SIGBUS memfault_upcall 2",
      "SIGILL illegal_upcall 3",
      "SIGTERM quit_upcall 4",
      "SIGINT suspend_upcall 5",
      "SIGCONT resume_upcall 6",
    ]);
  });
});

describe("alarm: what crosses from thread to thread", () => {
  it("the arrows of the page point forward in time", () => {
    const name = "libos-alarm";
    const arrows: [string, string][] = [
      ["create_async_helper: thread_create(shim_async_helper)", "shim_async_helper: async helper thread started"],
      [
        "install_async_event: set_event: DkStreamWrite(async_helper_event)",
        "shim_async_helper: clear_event: DkStreamRead(async_helper_event)",
      ],
      ["append_signal: DkThreadResume(thread)", "(outside): the kernel pushes a signal frame"],
    ];
    for (const [from, to] of arrows) {
      expect(at(name, from).seq, `${from} -> ${to}`).toBeLessThan(at(name, to).seq);
      expect(at(name, from).who).not.toBe(at(name, to).who);
    }
    expect(signalName(at(name, "(outside): the kernel pushes a signal frame").signal)).toBe("SIGCONT");
  });

  it("fires after its second, and at once when the helper is interrupted", () => {
    const delay = (name: string): number => {
      const ran = ranOf(diagramOf(name));
      const [installed] = rowsOf(ran, { where: "install_async_event: append event to global async_list" });
      const [fired] = rowsOf(ran, { where: "shim_async_helper: timeout fired: call event.callback" });
      return ((fired?.time ?? 0) - (installed?.time ?? 0)) / 1e9;
    };
    expect(delay("libos-alarm")).toBeGreaterThanOrEqual(0.999);
    expect(delay("libos-alarm-early")).toBeLessThan(1.01);
    expect(handled(ranOf(diagramOf("libos-alarm-directed")), "waiter")).toEqual(["SIGALRM"]);
    expect(handled(ranOf(diagramOf("libos-alarm-cancel")))).toEqual([]);
  });
});
