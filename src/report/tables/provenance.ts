import type { CompletedRun } from "./arms.js";

/** What two runs must have in common for their difference to have no cause but their configuration. */
const DEPENDS_ON = [
  "torch",
  "numpy",
  "scipy",
  "transformers",
  "peft",
  "tokenizers",
  "python",
  "machine",
  "cpu",
] as const;

/** Of each thing that numbers depend on, the values that these runs had; things that all share are not in it. */
export function machineDifferences(runs: readonly CompletedRun[]): Readonly<Record<string, readonly string[]>> {
  const facts = runs.map(({ run: { manifest } }) => ({
    ...Object.fromEntries(DEPENDS_ON.map((name) => [name, manifest?.software?.[name] ?? "unknown"])),
    thawline: manifest?.thawline ?? "unknown",
    device: manifest?.device ?? "unknown",
    threads: String(manifest?.threads ?? "unknown"),
  }));
  const names = Object.keys(facts[0] ?? {}) as (keyof (typeof facts)[number])[];
  const values = names.map((name) => [name, [...new Set(facts.map((fact) => fact[name]))]] as const);
  return Object.fromEntries(values.filter(([, different]) => different.length > 1));
}

/** One sentence; null where all runs share software and processor. */
export function describeMachines(runs: readonly CompletedRun[]): string | null {
  const different = Object.entries(machineDifferences(runs));
  if (different.length === 0) return null;
  const words = different.map(([name, values]) => `${name} ${values.join(" and ")}`);
  return `Compared across software or processors: ${words.join("; ")}`;
}

/** On what a run was tested: two X-ling means over different languages are no comparison. */
export function testsOf({ results: { ood, scores } }: CompletedRun): string {
  const corruptions = Object.keys(ood?.per_corruption ?? {}).filter(
    (name) => !Object.hasOwn(ood?.left_out ?? {}, name),
  );
  const languages = Object.entries(scores ?? {}).map(([name, { per_language }]) => [
    name,
    Object.entries(per_language)
      .map(([language, { num_examples }]) => [language, num_examples])
      .sort(),
  ]);
  return JSON.stringify([corruptions.sort(), ood?.images_per_corruption ?? null, languages]);
}

export function haveOtherTests(runs: readonly CompletedRun[]): boolean {
  return new Set(runs.map(testsOf)).size > 1;
}
