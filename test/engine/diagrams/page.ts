/** The page as a whole: its diagrams, and the differences the reference names. */

import type { Diagram } from "../../support/flow-listing.ts";
import { ALARM } from "./alarm.ts";
import { LIBOS_FLOWS } from "./libos.ts";
import { LINUX } from "./linux.ts";
import { SGX } from "./sgx.ts";
import { SGX_HANDLING } from "./sgx-handling.ts";
import { UPCALLS } from "./upcalls.ts";
import { SYNC_UPCALLS } from "./upcalls-sync.ts";

export const DIAGRAMS: readonly Diagram[] = [...SGX, ...SGX_HANDLING, ...LINUX, ...LIBOS_FLOWS, ...UPCALLS, ...SYNC_UPCALLS, ...ALARM];

/** Every diagram of the page, by its headings. */
export const PAGE = [
  'Linux-SGX PAL Flows, "Initialization of Signal Handling"',
  'Linux-SGX PAL Flows, "Async Signal Arrives During Enclave Code Execution"',
  'Linux-SGX PAL Flows, "Async Signal Arrives During Non-Enclave Code Execution"',
  'Linux-SGX PAL Flows, "Sync Signal Arrives During Enclave Code Execution"',
  'Linux-SGX PAL Flows, "Sync Signal Arrives During Non-Enclave Code Execution"',
  'Linux-SGX PAL Flows, "DkGenericSignalHandle Logic"',
  'Linux PAL Flows, "Initialization of Signal Handling"',
  'Linux PAL Flows, "Async Signal Arrives During PAL Call Execution"',
  'Linux PAL Flows, "Async Signal Arrives During Non-PAL Call Execution"',
  'Linux PAL Flows, "Sync Signal Arrives During PAL Call Execution"',
  'Linux PAL Flows, "Sync Signal Arrives During Non-PAL Call Execution"',
  'Linux PAL Flows, "DkGenericSignalHandle Logic"',
  'Current LibOS Flows, "Non-Nested Signal Case"',
  'Current LibOS Flows, "Nested Signal Case"',
  'Current LibOS Flows, "Available Signal Handlers and Their Differences"',
  'Current LibOS Flows, "Alarm() Emulation"',
];

/** Section 0.2 and the "Page vs code" lines of 2.1 to 2.19: the goldens that have to name each of them. */
export const NAMED: Readonly<Record<string, readonly string[]>> = {
  D1: ["sgx-generic-frame", "sgx-generic-both"],
  D2: ["sgx-async-outside", "sgx-async-outside-cssa-1"],
  D3: ["sgx-async-outside", "sgx-async-outside-resume", "sgx-generic-frame"],
  D4: ["sgx-sync-in-enclave", "sgx-sync-in-enclave-divide", "sgx-sync-in-enclave-illegal", "sgx-sync-in-enclave-cpuid"],
  D5: ["sgx-sync-in-enclave", "sgx-sync-in-enclave-divide", "upcall-arithmetic-error", "upcall-memfault-internal"],
  D6: ["linux-init"],
  D7: ["linux-async-in-time-query"],
  D8: ["linux-sync-in-pal"],
  D9: ["libos-alarm", "libos-alarm-external"],
  D10: ["upcall-resume-nested"],
  D11: ["upcall-memfault-internal", "upcall-internal-fault"],
  D12: ["libos-non-nested", "libos-nested"],
  D13: ["libos-alarm", "libos-alarm-directed"],
  D14: ["libos-alarm", "libos-alarm-early"],
  "2.1": ["sgx-init", "sgx-init-window"],
  "2.2": ["sgx-async-in-enclave", "sgx-sync-in-enclave"],
  "2.3": ["sgx-async-outside-cssa-1"],
  "2.5": ["sgx-sync-outside"],
  "2.6": ["sgx-generic-context"],
  "2.7": ["linux-init"],
  "2.8": ["linux-async-in-pal", "linux-async-outside"],
  "2.9": ["linux-sync-in-pal", "linux-sync-outside"],
  "2.10": ["linux-generic"],
  "2.11": ["upcall-illegal", "upcall-memfault", "upcall-internal-thread", "upcall-failure"],
  "2.12": ["libos-non-nested"],
  "2.14": ["libos-blocked", "libos-nested", "libos-nested-syscall", "libos-unlock"],
  "2.19": ["libos-alarm", "libos-alarm-cancel"],
};
