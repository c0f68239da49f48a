// The Python tests, two files at a time; or those named: `npm run test:py -- test/python/probes -k fisher`.
import { runModules } from "./python.mjs";

const named = process.argv.slice(2);
// A file stays with one process, for what its tests share.
const inParallel = ["-n", "2", "--dist", "loadfile"];
// Two processes of as many threads as cores take turns more than they work.
if (named.length === 0) process.env.OMP_NUM_THREADS ??= "1";
process.exitCode = runModules(["pytest", ...(named.length === 0 ? inParallel : named)]);
