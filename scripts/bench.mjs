// The benchmarks: `npm run bench`, or some parts: `npm run bench -- fisher --widths 8`. See benchmarks/README.md.
import { delimiter, join } from "node:path";
import { ROOT, runModules } from "./python.mjs";

// The benchmarks are no part of the package, and neither of them is installed.
process.env.PYTHONPATH = [join(ROOT, "python"), process.env.PYTHONPATH].filter(Boolean).join(delimiter);
process.exitCode = runModules(["benchmarks", ...process.argv.slice(2)]);
