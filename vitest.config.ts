import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    globalSetup: "test/global-setup.ts",
    // Real workers import torch: more than one file at a time makes them starve each other on small machines.
    fileParallelism: false,
    testTimeout: 30_000,
    // In CI Ink draws the last frame only; here it is the frames in between that are tested.
    env: { CI: "false" },
  },
});
