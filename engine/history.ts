/**
 * What changed between the generations, commit by commit: those whose change is to be seen in a trace (reference, 4.5; dates are those of
 * the commits in Graphene's and Gramine's repositories). Where a commit's change is a switch here, the step names it.
 */

import type { FixName } from "./fixes.ts";

export interface Step {
  /** When it was merged, or proposed. */
  readonly date: string;
  readonly project: "Graphene" | "Gramine";
  readonly commits: readonly string[];
  /** Which part: both PALs, one of them, the LibOS. */
  readonly part: "LibOS" | "PAL" | "Linux PAL" | "SGX PAL" | "LibOS, PAL";
  readonly text: string;
  readonly source: string;
  /** Stacks that stand at this revision, by their names; a build may not have them all. */
  readonly stands?: readonly string[];
  /** Switches that do what the commit did, on the stacks that know them. */
  readonly fixes?: readonly FixName[];
}

const graphene = (date: string, commits: string, part: Step["part"], text: string, more: Partial<Step> = {}): Step => ({
  date,
  project: "Graphene",
  commits: commits.split(" "),
  part,
  text,
  source: "4.5",
  ...more,
});
const gramine = (...step: Parameters<typeof graphene>): Step => ({ ...graphene(...step), project: "Gramine" });

/** In order of time. */
export const HISTORY: readonly Step[] = [
  graphene(
    "2018-12-05",
    "54d9f053c",
    "LibOS",
    "proposed, never merged (PR 347): handlers run in a frame on the application's stack, on the way out of a system call or right after the host handler",
    { source: "4.3; pr347.md 1", stands: ["graphene-pr347"] },
  ),
  graphene("2019-03-29", "ceb789732", "LibOS, PAL", "the revision that the wiki page describes", {
    source: "0.1",
    stands: ["graphene-linux", "graphene-sgx"],
  }),
  graphene(
    "2019-04-01",
    "6d91f7fb2",
    "SGX PAL",
    "the enclave is entered with its own stack pointer: no exception frame in untrusted memory",
  ),
  graphene("2019-04-01", "8c65f67a6", "LibOS", "a signal for another thread also sets the event on which that thread sleeps", {
    source: "3.2, 4.5",
    fixes: ["wakeup-lost-before-block"],
  }),
  graphene(
    "2019-04-13",
    "e9435c68d",
    "SGX PAL",
    "an instruction that is not known becomes PAL_EVENT_ILLEGAL; one in the PAL itself ends the thread",
  ),
  graphene("2019-04-16", "5d0c147ba", "SGX PAL", "no event before the thread is set up (ready_for_exceptions)"),
  graphene("2019-04-16", "55a6ecb69", "SGX PAL", "entries are checked: a return from an ocall needs an ocall, a thread starts once"),
  graphene(
    "2019-04-25",
    "8bf06ca6c",
    "SGX PAL",
    "an interrupted ocall raises FAILURE(INTERRUPTED) before the upcall: read and others answer EINTR",
    {
      source: "3.1, 4.5",
      fixes: ["sgx-interrupted-code-lost"],
    },
  ),
  graphene("2019-04-29", "bf87ac02f", "SGX PAL", "the exception frame is written below the red zone"),
  graphene("2019-04-30", "f72cd48ee", "LibOS", "pause is one very long sleep and answers EINTR", {
    source: "2.18, 3.2, 4.5",
    fixes: ["pause-never-returns"],
  }),
  graphene(
    "2019-05-03",
    "5b3b69332",
    "SGX PAL",
    "host handlers block SIGTERM, SIGINT and SIGCONT, and an event needs CSSA 1: no host handler inside another",
    { source: "3.4, 4.5", fixes: ["sgx-nested-host-signal"] },
  ),
  graphene("2019-05-14", "6abaa112f", "LibOS", "a SYSCALL instruction of the application is emulated", { source: "2.4" }),
  graphene(
    "2019-05-14",
    "e307eca02",
    "LibOS",
    "under SGX pointers of the application are looked up in the list of its memory, not probed",
    { source: "2.11" },
  ),
  graphene("2019-05-23", "c4bcf4ae8", "LibOS", "sigaltstack tells SS_ONSTACK and SS_DISABLE; the stack is not used yet", {
    source: "2.17",
  }),
  graphene(
    "2019-06-18",
    "87a4d4768",
    "LibOS",
    "alarm and setitimer replace each other only; the helper looks at the clock before it calls back",
    {
      source: "3.1",
      fixes: ["async-list-redundant-cancel"],
    },
  ),
  graphene(
    "2019-06-21",
    "f65c49606",
    "SGX PAL",
    "a signal in an ocall's assembly counts as before it, with EINTR, or after it, with its result kept",
  ),
  graphene("2019-07-14", "0dc1ecf51", "LibOS", "no SIGNAL_DELAYED bit in the preempt counter, and so no broken assertion", {
    source: "3.1, 4.5",
    fixes: ["signal-delayed-breaks-preempt-assert"],
  }),
  graphene("2019-07-18", "8a4597748", "SGX PAL", "ocalls answer with Unix error numbers"),
  graphene("2019-07-19", "479d833e7", "LibOS", "sigsuspend, pause and nanosleep look for pending signals before they sleep", {
    source: "3.1, 4.5",
    fixes: ["sigsuspend-ignores-pending"],
  }),
  graphene("2019-07-19", "0b244f67d", "LibOS", "the default action of every standard signal, and whether it dumps core", {
    source: "3.2, 4.5",
    fixes: ["default-action-table-wrong"],
  }),
  graphene("2019-07-27", "c295e5cd1", "LibOS", "sigsuspend sleeps without its thread's lock; a signal that is ignored wakes nobody", {
    source: "3.1, 4.5",
    fixes: ["sigsuspend-sleeps-with-thread-lock"],
  }),
  graphene("2019-07-30", "5fe52e4a0", "LibOS", "the preempt counter is changed by atomic operations"),
  graphene(
    "2019-12-03",
    "c6622ba12",
    "SGX PAL",
    "an exception in the enclave looks for no PAL frame: nothing is written over the stack above it",
  ),
  graphene(
    "2020-01-28",
    "021934926",
    "SGX PAL",
    "a stack for signals, vector registers kept, and the PAL call goes on after an event: its code reaches the LibOS",
  ),
  graphene("2020-01-28", "98acf101d", "Linux PAL", "floating point registers go to the handler's context and back"),
  graphene(
    "2020-02-03",
    "32a89d1d2",
    "LibOS",
    "proposed, never merged (PR 1218, of 2019-12-19): frames on the application's or its alternate stack, a stack of its own for system calls, default actions",
    { source: "pr347.md 1, 3", stands: ["graphene-pr1218"] },
  ),
  graphene("2020-03-17", "3a846af07", "SGX PAL", "ocalls inside ocalls keep each other's data on the untrusted stack"),
  graphene("2020-04-07", "0dd84ddf9", "PAL", "host handlers run on an alternate stack"),
  graphene("2020-05-14", "46195e5f6", "LibOS", "dispositions belong to the process"),
  graphene(
    "2020-06-08",
    "50ca6c4a2",
    "LibOS",
    "a queue of the process, one receiver for each signal; no yield after a pending signal; the flag of sigsuspend is gone",
    {
      source: "3.1, 4.5",
      fixes: ["spurious-yield-per-pending", "suspend-on-signal-dead-flag"],
    },
  ),
  graphene(
    "2020-06-10",
    "a958ff0bc",
    "LibOS, PAL",
    "PALs ignore SIGPIPE, and the LibOS raises it after EPIPE; pending events are flags, without malloc",
  ),
  graphene("2020-06-10", "20ecea9be", "PAL", "the table of handlers has no lock"),
  graphene("2020-06-12", "b0d95cfe3", "Linux PAL", "pending events are taken off the list before they are handled"),
  graphene("2020-12-28", "1df560ee2", "SGX PAL", "ocalls that may not be interrupted are made again"),
  graphene("2020-12-28", "dd85aef59", "SGX PAL", "an injected -EINTR keeps its sign"),
  graphene(
    "2021-02-05",
    "c24bddd5a",
    "LibOS",
    "delivery at the return to the application only, frames on its stack or its alternate stack, masks and sigreturn as on Linux: the design of today",
    { source: "4.4" },
  ),
  graphene("2021-02-25", "7f186ba30", "LibOS, PAL", "PAL calls return their errors: there is no pal_errno and no FAILURE event"),
  graphene("2021-05-19", "13319893f", "LibOS", "pause and nanosleep cannot miss a signal that comes before they sleep"),
  graphene("2021-05-26", "5717e748d", "LibOS", "interrupted calls are made again where Linux makes them again"),
  gramine("2021-08-06", "dcbb110ac", "SGX PAL", "one place for system calls outside the enclave: a call that is done keeps its result"),
  gramine(
    "2022-01-22",
    "51f9eae73",
    "LibOS",
    "sigsuspend, ppoll, pselect and epoll_pwait change the mask for the call, and the handler's frame has the old one",
  ),
  gramine("2024-02-11", "339ce59cf", "LibOS", "an injected SIGTERM wakes a thread that does not block it", { source: "4.4 d2" }),
  gramine(
    "2024-02-12",
    "c06a4ae3e",
    "SGX PAL",
    "memory faults that the processor does not report may go to the application (an option of the manifest)",
    {
      source: "4.4",
    },
  ),
  gramine("2025-06-20", "ff71d7afe", "LibOS, PAL", "Gramine as it is emulated here", {
    source: "gramine-today.md",
    stands: ["gramine-linux", "gramine-sgx"],
  }),
];
