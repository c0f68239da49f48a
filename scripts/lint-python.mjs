// The static checks of the Python side; all of them run, so that one look shows everything.
import { runModules } from "./python.mjs";

process.exitCode = runModules(["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]);
