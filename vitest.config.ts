import { availableParallelism } from "node:os";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * While the nursery imports, what needs none of it: the core; then the longest files, and short ones beside the last of
 * them, so that both processes end at about the same time.
 */
class WholeProgramsEarly extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const turn = ({ project, moduleId }: TestSpecification): number =>
      moduleId.includes("/test/core/") ? 0 : project.name === "programs" ? 1 : 2;
    return [0, 1, 2].flatMap((now) => sorted.filter((file) => turn(file) === now));
  }
}

const PROGRAMS = "test/e2e/**/*.test.ts";
/** On a real Slurm: minutes of waiting, beside `npm test`. */
const CLUSTER = ["test/e2e/slurm.test.ts", "test/slurm/one-node.test.ts"];

/** What both kinds of tests have in common. */
const common = {
  setupFiles: "test/support/progress.ts",
  // What hangs is told by test/support/progress.ts. These are beyond what any load makes of a test.
  testTimeout: 3_600_000,
  hookTimeout: 3_600_000,
  expect: { poll: { timeout: 3_600_000 } },
  // They leave nothing behind in their process, and much of their time would go into importing it anew.
  isolate: false,
} satisfies TestProjectInlineConfiguration["test"];

// In CI Ink draws the last frame only; here it is the frames in between that are tested.
const IN_A_TERMINAL = { CI: "false" };

export default defineConfig({
  test: {
    globalSetup: "test/global-setup.ts",
    sequence: { sequencer: WholeProgramsEarly },
    // One more than what computes at a time: tests of whole programs wait for sockets, clocks and processes.
    maxWorkers: Math.min(2, availableParallelism()) + 1,
    projects: [
      { test: { ...common, name: "programs", include: [PROGRAMS], exclude: CLUSTER, env: IN_A_TERMINAL } },
      { test: { ...common, name: "cluster", include: CLUSTER, env: IN_A_TERMINAL } },
      {
        test: {
          ...common,
          name: "parts",
          include: ["test/**/*.test.{ts,tsx}"],
          exclude: [PROGRAMS, ...CLUSTER],
          // Where colours are possible, a frame without them shows that the theme left them out.
          env: { ...IN_A_TERMINAL, FORCE_COLOR: "1" },
        },
      },
    ],
  },
});
