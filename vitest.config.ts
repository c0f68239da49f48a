import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    globalSetup: "test/global-setup.ts",
    // Real workers import torch and train on one thread: more files at a time than cores make them starve each other.
    maxWorkers: Math.min(2, availableParallelism()),
    testTimeout: 30_000,
    // In CI Ink draws the last frame only; here it is the frames in between that are tested.
    env: { CI: "false" },
  },
});
