/** Exceptions of the processor: which instructions raise one, what may be at an address, what vectors are reported. */

export const FAULTS = [
  "divide",
  "float",
  "memory",
  "align",
  "illegal",
  "int3",
  "cpuid",
  "rdtsc",
  "syscall",
  "hlt",
  "in",
  "protection",
  "noncanonical",
  "stack",
] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * What is at the address of a memory fault: no mapping; memory of the LibOS; a file's mapping past the end of the file; a file's mapping
 * that is not writable, written to; any other mapping whose protection forbids the access (2.11); the guard page below the stack.
 */
export const VMAS = ["unmapped", "internal", "file-end", "read-only", "protected", "stack-guard"] as const;
export type Vma = (typeof VMAS)[number];

export const isVma = (word: unknown): word is Vma => VMAS.some((vma) => vma === word);

/** Exception vectors that EXITINFO reports (reference, 1.3), #GP and #PF with EXINFO only; -1 stands for "not valid". */
export const VECTOR = { DE: 0, BP: 3, UD: 6, GP: 13, PF: 14, AC: 17, XM: 19, NONE: -1 } as const;
