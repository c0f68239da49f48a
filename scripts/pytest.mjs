// The Python tests: `npm run test:py -- test/python/probes -k fisher`.
import { runModules } from "./python.mjs";

process.exitCode = runModules(["pytest", ...process.argv.slice(2)]);
