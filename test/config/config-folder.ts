import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { loadConfig, type ConfigRequest } from "../../src/config/layers/load.js";
import { UserError } from "../../src/errors.js";

let folder: string;

/** Gives each test of the calling file an empty folder, the current one of its requests. */
export function useConfigFolder(): void {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "thawline-config-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
}

export const inFolder = (...names: string[]) => join(folder, ...names);

export const MINIMAL = `
model: { kind: resnet18 }
data: { kind: mnist }
train: { learning_rate: 0.5, batch_size: 32, updates: 100 }
`;

export function load(request: Partial<ConfigRequest>) {
  return loadConfig({ source: "quickstart", cwd: folder, ...request });
}

export function loadText(yaml: string, request: Partial<ConfigRequest> = {}) {
  writeFileSync(inFolder("my.yaml"), yaml);
  return load({ source: "my.yaml", ...request });
}

/** What a person would read. */
export function refusal(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof UserError) return `${error.code}\n${error.message}\nhint: ${error.hint}`;
    throw error;
  }
  return "accepted";
}
