/**
 * Options of a stack's manifest (`--option NAME`, or `options` of a scenario): what its users may choose. Each is off where it is not named,
 * as in the library OS; a stack that does not know an option behaves the same with it.
 */

import type { FixName } from "./fixes.ts";

export const OPTIONS = {
  "sigterm-injection": {
    text: "a SIGTERM of the host goes to the application, once (sys.enable_sigterm_injection)",
    source: "gramine-today.md 12; Documentation/manifest-syntax.rst",
  },
  exinfo: {
    text: "the processor reports page faults of the enclave with their address (sgx.use_exinfo)",
    source: "gramine-today.md 4.4, 12",
  },
  "memfaults-without-exinfo": {
    text: "memory faults that the processor does not report go to the application, without an address (sgx.insecure__allow_memfaults_without_exinfo)",
    source: "gramine-today.md 4.4, 12",
  },
  edmm: { text: "enclave pages are added and restricted while it runs (sgx.edmm_enable)", source: "gramine-today.md 4.4, 12" },
  exitless: {
    text: "ocalls are made by threads outside the enclave (sgx.insecure__rpc_thread_num > 0)",
    source: "gramine-today.md 11",
  },
  "aex-notify": {
    text: "events are taken at the return from an AEX, with EDECCSSA (sgx.experimental_enable_aex_notify, proposed)",
    source: "gramine-today.md 13",
  },
  "eventfd-passthrough": {
    text: "eventfd is the host's (sys.insecure__allow_eventfd)",
    source: "gramine-today-corrections.md 8.M1, 12.1",
  },
} as const;

export type OptionName = keyof typeof OPTIONS;
export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];
export const isOption = (name: string): name is OptionName => Object.hasOwn(OPTIONS, name);

/** What may be on in a run: a fix or an option. */
export type SwitchName = FixName | OptionName;
