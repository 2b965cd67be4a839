/** Threads of Gramine's SGX PAL (gramine-today.md 2, 4.5, 11, corrections 4.2.M1): their start and end, pipes under a spinlock, exitless ocalls. */

import { describe, expect, it } from "vitest";
import { NATIVE, onSgx, type Program, runGramine } from "../support/gramine-sgx.ts";
import { count, endOf, handled, on, type Ran, results, rowsOf } from "../support/run-scenario.ts";
import { order } from "./reference-support.ts";

const exitStatus = (ran: Ran): number | undefined => rowsOf(ran, { what: "process.exit" })[0]?.value;

describe("the start of a process", () => {
  const early = (signal: string, site: string): Ran =>
    onSgx({ main: ["getpid"], signals: [{ signal, thread: "main", when: { thread: "main", site } }] });

  it("before sgx_signal_setup SIGTERM has its default of the host", () => {
    expect(exitStatus(early("SIGTERM", "load_enclave: build the enclave"))).toBe(-15);
  });

  it("window (a): before GS is set the handler reads through nothing: SIGSEGV in untrusted code, exit 1", () => {
    const ran = early("SIGTERM", "load_enclave: pal_thread_init(tcb)");
    order(ran, [
      "handle_async_signal: the host TCB by GS",
      "host.signal.deliver",
      'handle_sync_signal: print "Unexpected ... occurred inside untrusted PAL"',
      "process.exit",
    ]);
    expect(exitStatus(ran)).toBe(1);
  });

  it("SIGINT keeps its default for good", () => {
    const ran = onSgx({ main: [on("SIGINT"), { compute: "5ms" }], signals: [{ signal: "SIGINT", when: { at: "3ms" } }] });
    expect([exitStatus(ran), handled(ran)]).toEqual([-2, []]);
  });
});

describe("the start of a thread", () => {
  const WORKER: Program = { main: [{ clone: "worker" }, { compute: "1ms" }, "gettime"], programs: { worker: ["getpid"] } };
  const inWorker = (site: string, signal = "SIGCONT"): Ran =>
    onSgx({ ...WORKER, signals: [{ signal, thread: "worker", when: { thread: "worker", site } }] });

  it("window (b): until its own GS is set, the event is noted for the creator", () => {
    const ran = inWorker("pal_thread_init: arch_prctl(ARCH_SET_GS, tcb)");
    const noted = rowsOf(ran, { what: "pal.event.pend", who: "worker" })[0];
    const taken = rowsOf(ran, { what: "pal.event.deliver" })[0];
    expect([noted?.value, taken?.who, taken?.extra]).toEqual([5, "main", noted?.extra]);
    expect(endOf(ran)).toBe("exit");
  });

  it("window (c): before ready_for_exceptions it is FAIL_LOOP, and the creator turns with it: the thread has no TCS in its handle", () => {
    const ran = inWorker("handle_ecall: pal_start_thread()");
    order(ran, ["pal.fail"], "worker");
    expect([endOf(ran), count(ran, "pal.fail")]).toEqual(["endless", 1]);
    expect(rowsOf(ran, { who: "main" }).at(-1)?.where).toBe("PalThreadCreate: new_thread->tcs == NULL? CPU_RELAX");
  });

  it("between: the thread is known to the LibOS, but not ready", () => {
    const ran = inWorker("pal_start_thread: ready_for_exceptions := 1");
    expect([endOf(ran), count(ran, "pal.fail")]).toEqual(["endless", 1]);
    // The LibOS's creator waits for the thread to begin, whatever comes.
    expect([results(ran), rowsOf(ran, { who: "main" }).at(-1)?.what]).toEqual([[], "thread.block"]);
  });

  it("the creator waits outside for the host thread, and inside for its TCS", () => {
    const ran = onSgx(WORKER);
    order(ran, [
      "sgx_ocall_clone_thread: clone(pal_thread_init)",
      "sgx_ocall_clone_thread: start_status == 1? CPU_RELAX",
      "sgx.eenter",
      "PalThreadCreate: new_thread->tcs == NULL? CPU_RELAX",
      "libc clone: back in the application",
    ]);
    expect(endOf(ran)).toBe("exit");
  });
});

describe("the end of a thread", () => {
  it("resets the TCS by an ecall, gives it back, and the next thread gets it", () => {
    const ran = onSgx({
      main: [{ clone: "first" }, { nanosleep: "10ms" }, { clone: "second" }, { nanosleep: "10ms" }],
      programs: { first: ["getpid"], second: ["getpid"] },
    });
    order(
      ran,
      [
        "PalThreadExit: ocall_exit(0, false)",
        "sgx_ocall: ocall_exit_called := 1",
        "sgx_ocall_exit: block_async_signals(true): SIGTERM, SIGCONT",
        "sgx_ocall_exit: ecall_thread_reset()",
        "enclave_entry: ready_for_exceptions := 0",
        "enclave_entry: clear_child_tid := 0",
        "enclave_entry: EEXIT to ecall_return_addr",
        "sgx_ocall_exit: unmap_my_tcs()",
        "thread_exit (host): GS := 0, no alternate stack",
        "thread.exit",
      ],
      "first",
    );
    const tcs = (who: string): number | undefined => rowsOf(ran, { where: "map_tcs(gettid)", who })[0]?.value;
    expect(tcs("second")).toBe(tcs("first"));
  });
});

describe("pipes: TLS under a spinlock that is held over the host call (N3, N10)", () => {
  const READERS: Program = {
    main: [{ clone: "one" }, { clone: "two" }, { nanosleep: "20ms" }, { "exit-group": { status: 0 } }],
    programs: { one: [{ read: { from: "pipe" } }], two: [{ nanosleep: "5ms" }, { read: { from: "pipe" } }] },
    limit: { time: "1s", transitions: 60_000 },
  };

  it("N3: the second reader turns in the enclave; the one kick of exit_group has no effect on it, and it goes into the host call", () => {
    const ran = onSgx(READERS);
    order(ran, ["lock.busy", "sgx.aex", "interrupted_upcall: return", "lock", "host read: read: wait"], "two");
    const kicked = rowsOf(ran, { what: "libos.die" }).map((row) => row.seq)[0] ?? 0;
    const blocked = rowsOf(ran, { where: "host read: read: wait", who: "two" }).at(-1)?.seq ?? 0;
    expect([endOf(ran), blocked > kicked]).toEqual(["endless", true]);
    expect(endOf(runGramine("linux", READERS))).toBe("exit");
    // The kick that is given in each round finds it in the host's call; the spinlock itself stays as it is.
    expect(endOf(onSgx(READERS, [], { fixes: ["exit-kick-lost"] })), "with exit-kick-lost").toBe("exit");
    expect(endOf(runGramine(NATIVE, READERS))).toBe("exit");
  });

  const REPLACED: Program = {
    main: [on("SIGUSR1"), { write: { to: "pipe", bytes: 4 } }, { write: { to: "pipe", bytes: 7 } }, { read: { from: "pipe", bytes: 16 } }],
  };

  it("N10: a write that was interrupted after its record was built is sent in place of the next one, which is told its own length", () => {
    const ran = onSgx(
      {
        ...REPLACED,
        main: [on("SIGTERM"), ...REPLACED.main.slice(1)],
        pins: [{ signal: "SIGTERM", site: "do_syscall_intr: compare last_async_event with 0", in: "write" }],
      },
      ["sigterm-injection"],
    );
    expect([results(ran).slice(1), handled(ran)]).toEqual([["write -EINTR", "write 7", "read 4"], ["SIGTERM"]]);
    const calm = onSgx(REPLACED);
    expect(results(calm).slice(1)).toEqual(["write 4", "write 7", "read 11"]);
    expect(results(runGramine(NATIVE, REPLACED)).slice(1)).toEqual(["write 4", "write 7", "read 11"]);
  });

  it("a pipe that does not block says EAGAIN for EINTR", () => {
    const ran = onSgx({
      main: [{ read: { from: "pipe" } }],
      objects: { pipe: { kind: "pipe", nonblock: true } },
      pins: [{ signal: "SIGCONT", site: "do_syscall_intr: compare last_async_event with 0", in: "read" }],
    });
    expect(results(ran)).toEqual(["read -EAGAIN"]);
  });
});

describe("exitless ocalls", () => {
  const READ: Program = {
    main: [on("SIGUSR1", "quick", { flags: ["SA_RESTART"] }), { clone: "sender" }, { read: { from: "pipe" } }],
    programs: { sender: [{ nanosleep: "10ms" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }] },
    arrivals: [{ to: "pipe", when: { at: "30ms" } }],
  };

  it("an RPC thread makes the call: the enclave is not left", () => {
    const ran = onSgx({ main: [{ read: { takes: "10us", result: 8 } }] }, ["exitless"]);
    order(ran, [
      "rpc.request",
      "sgx_exitless_ocall: CPU_RELAX",
      "sgx_exitless_ocall: result := request->result; sgx_reset_ustack()",
      "app.return",
    ]);
    const from = rowsOf(ran, { what: "app.call" })[0]?.seq ?? 0;
    const to = rowsOf(ran, { what: "app.return" })[0]?.seq ?? 0;
    expect(rowsOf(ran, { what: "sgx.eexit", who: "main" }).filter(({ seq }) => seq > from && seq < to)).toEqual([]);
    expect([results(ran), count(ran, "rpc.done") > 0]).toEqual([["read 8"], true]);
  });

  it("B6: a signal while the enclave waits for the request is -EPERM, and the request's result is lost: EACCES", () => {
    const ran = onSgx(READ, ["exitless"]);
    order(ran, ["rpc.request", "sgx_exitless_ocall: sgx_ocall(OCALL_FUTEX): wait for the lock", "host.signal.deliver", "rpc.abandon"]);
    expect([results(ran).at(-1), handled(ran)]).toEqual(["read -EACCES", ["SIGUSR1"]]);
    expect(results(onSgx(READ)).at(-1)).toBe("read 1");
    expect(results(runGramine(NATIVE, READ)).at(-1)).toBe("read 1");
  });

  it("each signal of the host on an enclave thread interrupts the calls of all RPC threads", () => {
    const ran = onSgx(READ, ["exitless"]);
    const sent = rowsOf(ran, { where: "host tgkill: tgkill: the signal is generated", who: "main" }).filter((row) => row.signal === 12);
    expect(sent).toHaveLength(4);
    expect(rowsOf(ran, { what: "rpc.done" }).filter((row) => row.value >= 0 && row.extra === -4).length).toBeGreaterThanOrEqual(2);
  });

  it("X2: an RPC thread looks at the main thread's last_async_event, for whomever it works", () => {
    // Calls of a file are not interrupted by the RPC thread's own SIGUSR2. The event of main waits while main is in its clone.
    const program: Program = {
      main: [{ clone: "worker" }, { nanosleep: "1ms" }, { clone: "other" }, { nanosleep: "100ms" }],
      programs: {
        worker: [{ nanosleep: "900us" }, { loop: { times: 60, do: [{ call: { name: "pread64", takes: "1us" } }] } }],
        other: ["getpid"],
      },
      pins: [
        { signal: "SIGCONT", site: "sgx_ocall_clone_thread: mmap: stack, alternate stack and TCB; start_status := 1", in: "clone", nth: 2 },
      ],
    };
    const cut = Array.from({ length: 20 }, (_, i) => runGramine("sgx", program, ["exitless"], { scheduler: "seeded", seed: i + 1 })).find(
      (ran) => results(ran, "worker").includes("call -EINTR"),
    );
    expect(cut && rowsOf(cut, { what: "host.signal.deliver", who: "worker" })).toEqual([]);
  });
});
