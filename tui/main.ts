#!/usr/bin/env node
/** The program. */

import { runCommandLine } from "./command-line.ts";
import { terminalIo } from "./terminal.ts";

const io = terminalIo();
await runCommandLine(io, process.argv.slice(2));
process.exitCode = io.exitCode;
// What a reader that stands still has not taken would hold the program until it does.
if (io.signal.aborted) process.exit();
