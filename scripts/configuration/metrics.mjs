// The table of metrics in docs/configuration.md, from the table that the controller has of them.
import { METRIC_TABLE } from "../../dist/metrics.js";
import { quoted } from "./text.mjs";

export function metrics() {
  const rows = Object.entries(METRIC_TABLE).map(([name, { label, unit, tau, options, companions }]) => [
    `\`${name}\``,
    unit === "" ? label : `${label}, ${unit}`,
    tau === null ? "no" : `yes, \`tau\` ${tau}`,
    quoted(options),
    quoted(Object.keys(companions)),
  ]);
  const head = ["metric", "what it is", "may decide k", "keys of `probe`", "journaled beside it"];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
