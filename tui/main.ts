#!/usr/bin/env node
/** The program. */

import { runCommandLine } from "./command-line.ts";
import { terminalIo } from "./terminal.ts";

const io = terminalIo();
await runCommandLine(io, process.argv.slice(2));
process.exitCode = io.exitCode;
